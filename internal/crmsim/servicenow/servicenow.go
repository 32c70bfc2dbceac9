// SPDX-License-Identifier: Apache-2.0

// Package servicenow plays the Table, Batch and Import Set APIs of ServiceNow, as far as the project needs it.
package servicenow

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are, as text of limits, a rule of an administrator's for the Table API, the semaphores of one node with their queue, and the calls of one session, one of which
// runs while ten wait. The figure of the rule is an example: there are none by licence.
var Limits = []string{
	"rule=10000/hour:UTC,per=credential",
	"semaphores=54/concurrent",
	"session=11/concurrent,per=session",
}

// ServiceNow is one instance.
type ServiceNow struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
}

// New returns an instance whose only records are made-up contacts.
func New(o crm.Options) crm.CRM {
	s := &ServiceNow{store: records.New(o, idOf, "correlation_id")}
	s.store.MakeUp("sys_user", func(i int) records.Fields {
		name, email, phone := records.Contact(i)
		return records.Fields{"name": name, "email": email, "phone": phone}
	})
	var routes []crm.Route
	for _, root := range []string{"/api/now", "/api/now/{version}"} {
		table := root + "/table/{table}"
		routes = append(routes,
			crm.Route{Method: http.MethodGet, Pattern: table, Operation: "ListRecords", Run: s.list},
			crm.Route{Method: http.MethodPost, Pattern: table, Operation: "CreateRecord", Run: s.create},
			crm.Route{Method: http.MethodGet, Pattern: table + "/{id}", Operation: "GetRecord", Run: s.get},
			crm.Route{Method: http.MethodPut, Pattern: table + "/{id}", Operation: "UpdateRecord", Run: s.update},
			crm.Route{Method: http.MethodPatch, Pattern: table + "/{id}", Operation: "UpdateRecord", Run: s.update},
			crm.Route{Method: http.MethodDelete, Pattern: table + "/{id}", Operation: "DeleteRecord", Run: s.remove},
			crm.Route{Method: http.MethodPost, Pattern: root + "/batch", Operation: batchOperation, Run: s.batch},
			crm.Route{Method: http.MethodPost, Pattern: root + "/import/{table}", Operation: "ImportRecord", Run: s.importOne},
			crm.Route{Method: http.MethodPost, Pattern: root + "/import/{table}/insertMultiple", Operation: "ImportRecords", Run: s.importMany},
		)
	}
	s.routes = crm.Compile(routes...)
	return s
}

const batchOperation = "Batch"

// idOf makes a sys_id.
func idOf(_ string, number int64) string { return fmt.Sprintf("5e%030x", number) }

// Endpoint goes by method and path.
func (s *ServiceNow) Endpoint(method, path string) crm.Endpoint {
	return s.routes.Find(method, path, func(*crm.Call) crm.Reply {
		return failure(http.StatusBadRequest, "Requested URI does not represent any resource", path)
	})
}

// Secret is the password of a person, or a bearer token.
func (s *ServiceNow) Secret(r *http.Request) (user, secret string, found bool) {
	if user, secret, found = r.BasicAuth(); found {
		return user, secret, true
	}
	secret, found = crm.Bearer(r)
	return "", secret, found
}

// Session is that of the cookie which every answer sets.
func (s *ServiceNow) Session(r *http.Request) string {
	cookie, err := r.Cookie("JSESSIONID")
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Weight is how many requests a batch holds: nobody says that it costs less than they do.
func (s *ServiceNow) Weight(c *crm.Call) int {
	if c.Operation != batchOperation {
		return 0
	}
	var body batchBody
	_ = c.Decode(&body) // what cannot be read counts once
	return len(body.Requests)
}

// Refuse is 429; with Retry-After for a rule, without for the semaphores. A session that is full answers 202, and drops the call.
func (s *ServiceNow) Refuse(_ *crm.Call, r crm.Refusal) crm.Reply {
	switch {
	case r.Limit.Per == limit.PerSession:
		return crm.Empty(http.StatusAccepted)
	case r.Limit.Kind == limit.Concurrent:
		return failure(http.StatusTooManyRequests, "Too many requests", "The maximum number of concurrent API requests is reached")
	}
	answer := failure(http.StatusTooManyRequests, "Rate limit exceeded",
		fmt.Sprintf("Rate limit of %d requests per hour for Table API exceeded", r.Limit.Calls))
	answer.Header.Set("Retry-After", crm.Seconds(max(r.Retry, time.Second)))
	return answer
}

// Fail is an error in ServiceNow's form.
func (s *ServiceNow) Fail(status int, detail string) crm.Reply {
	if status == http.StatusUnauthorized {
		return failure(status, "User Not Authenticated", "Required to provide Auth information")
	}
	return failure(status, http.StatusText(status), detail)
}

// Show tells of the rule that the call counts against, by the hour. Every answer sets the cookie of a session.
func (s *ServiceNow) Show(c *crm.Call, answer *crm.Reply) {
	if s.Session(c.Request) == "" {
		answer.Header.Set("Set-Cookie", fmt.Sprintf("JSESSIONID=%x; Path=/; HttpOnly", c.Now.UnixNano()))
	}
	busy := answer.Status == http.StatusTooManyRequests && answer.Header.Get("Retry-After") == ""
	if rule, found := c.Main(limit.CalendarHour); found && !busy {
		answer.Header.Set("X-RateLimit-Limit", strconv.Itoa(rule.Limit.Calls))
		answer.Header.Set("X-RateLimit-Reset", crm.UnixSeconds(c.Now, rule.More))
		answer.Header.Set("X-RateLimit-Rule", idOf("", 1))
	}
}

// Effects are all records but the made-up ones.
func (s *ServiceNow) Effects(now time.Time) crm.Effects { return s.store.Effects(now) }

func failure(status int, message, detail string) crm.Reply {
	return crm.JSON(status, map[string]any{"error": map[string]string{"message": message, "detail": detail}, "status": "failure"})
}

func notFound() crm.Reply {
	return failure(http.StatusNotFound, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
}

func malformed() crm.Reply {
	return failure(http.StatusBadRequest, "Exception while reading request", "The payload is not valid JSON")
}
