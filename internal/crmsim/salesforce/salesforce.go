// SPDX-License-Identifier: Apache-2.0

// Package salesforce plays the Salesforce REST API, as far as the project needs it.
package salesforce

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are those of an Enterprise organisation without what licences and add-ons bring, as text of limits. The limit on calls that run for 20 s or longer is not
// among them: no call here does, unless it is told to.
var Limits = []string{"day=100000/24h"}

// Salesforce is one organisation.
type Salesforce struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
	// reported is what /limits shows, and since when.
	reported   crm.Standing
	reportedAt time.Time
	log        eventLog
}

// New returns an organisation whose only records are made-up contacts.
func New(o crm.Options) crm.CRM {
	s := &Salesforce{store: records.New(o, idOf, "External_Id__c", "ExternalId__c", "Ext__c")}
	s.store.MakeUp("Contact", func(i int) records.Fields {
		name, email, phone := records.Contact(i)
		return records.Fields{"LastName": name, "Name": name, "Email": email, "Phone": phone}
	})
	const data = "/services/data/{version}"
	s.routes = crm.Compile(
		crm.Route{Method: http.MethodGet, Pattern: "/services/data", Operation: versionsOperation, Run: s.versions},
		crm.Route{Method: http.MethodGet, Pattern: data + "/limits", Operation: "Limits", Run: s.limits},
		crm.Route{Method: http.MethodPost, Pattern: data + "/sobjects/{type}", Operation: "CreateRecord", Run: s.create},
		crm.Route{Method: http.MethodGet, Pattern: data + "/sobjects/{type}/{id}", Operation: "GetRecord", Run: s.get},
		crm.Route{Method: http.MethodPatch, Pattern: data + "/sobjects/{type}/{id}", Operation: "UpdateRecord", Run: s.update},
		crm.Route{Method: http.MethodDelete, Pattern: data + "/sobjects/{type}/{id}", Operation: "DeleteRecord", Run: s.remove},
		crm.Route{Method: http.MethodGet, Pattern: data + "/sobjects/EventLogFile/{id}/LogFile", Operation: "GetEventLog", Run: s.getLog},
		crm.Route{Method: http.MethodGet, Pattern: data + "/sobjects/{type}/{field}/{id}", Operation: "GetRecordByExternalId", Run: s.getByExternalID},
		crm.Route{Method: http.MethodPatch, Pattern: data + "/sobjects/{type}/{field}/{id}", Operation: "UpsertRecord", Run: s.upsert},
		crm.Route{Method: http.MethodGet, Pattern: data + "/query", Operation: "Query", Run: s.query},
		crm.Route{Method: http.MethodGet, Pattern: data + "/query/{locator}", Operation: "QueryMore", Run: s.queryMore},
		crm.Route{Method: http.MethodGet, Pattern: data + "/parameterizedSearch", Operation: "Search", Run: s.search},
		crm.Route{Method: http.MethodGet, Pattern: data + "/search", Operation: "Search", Run: s.findWords},
		crm.Route{Method: http.MethodPost, Pattern: data + "/composite/tree/{type}", Operation: "CreateTree", Run: s.tree},
		crm.Route{Method: http.MethodPost, Pattern: data + "/composite/graph", Operation: "CompositeGraph", Run: s.graph},
		crm.Route{Method: http.MethodPost, Pattern: data + "/composite/sobjects", Operation: "CreateRecords", Run: s.createMany},
		crm.Route{Method: http.MethodPatch, Pattern: data + "/composite/sobjects", Operation: "UpdateRecords", Run: s.updateMany},
		crm.Route{Method: http.MethodDelete, Pattern: data + "/composite/sobjects", Operation: "DeleteRecords", Run: s.removeMany},
		crm.Route{Method: http.MethodPatch, Pattern: data + "/composite/sobjects/{type}/{field}", Operation: "UpsertRecords", Run: s.upsertMany},
		crm.Route{Method: http.MethodPost, Pattern: data + "/composite", Operation: "Composite", Run: s.composite},
		crm.Route{Method: http.MethodPost, Pattern: data + "/composite/batch", Operation: batchOperation, Run: s.batch},
	)
	return s
}

const (
	versionsOperation = "Versions"
	batchOperation    = "CompositeBatch"
)

// idOf makes an id that begins as those of its kind do: 15 characters, and three that tell their case.
func idOf(kind string, number int64) string {
	prefix, known := map[string]string{"Account": "001", "Contact": "003", "Lead": "00Q", "Case": "500", "Task": "00T", "Opportunity": "006", "User": "005", eventLogFile: "0AT"}[kind]
	if !known {
		prefix = "a00"
	}
	return withCase(fmt.Sprintf("%s5e%010d", prefix, number))
}

// withCase adds to an id of 15 characters, for each five of them, one that says which are capital letters.
func withCase(id string) string {
	const suffixes = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	suffix := make([]byte, 0, 3)
	for part := 0; part < 15; part += 5 {
		bits := 0
		for i, c := range id[part : part+5] {
			if 'A' <= c && c <= 'Z' {
				bits |= 1 << i
			}
		}
		suffix = append(suffix, suffixes[bits])
	}
	return id + string(suffix)
}

// Endpoint goes by method and path; a slash at the end of the path changes nothing.
func (s *Salesforce) Endpoint(method, path string) crm.Endpoint {
	return s.routes.Find(method, strings.TrimSuffix(path, "/"), func(*crm.Call) crm.Reply { return notFound() })
}

// Secret is a bearer token.
func (s *Salesforce) Secret(r *http.Request) (user, secret string, found bool) {
	secret, found = crm.Bearer(r)
	return "", secret, found
}

// Weight is the number of subrequests of a composite batch: each counts.
func (s *Salesforce) Weight(c *crm.Call) int {
	if c.Operation != batchOperation {
		return 0
	}
	var body batchRequest
	_ = c.Decode(&body) // what cannot be read counts once
	return len(body.Requests)
}

// Refuse is 403 with an error code, and no word of when to come back.
func (s *Salesforce) Refuse(_ *crm.Call, r crm.Refusal) crm.Reply {
	if r.Limit.Kind == limit.Concurrent {
		return failure(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
	}
	return failure(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

// Fail is a list of one error.
func (s *Salesforce) Fail(status int, detail string) crm.Reply {
	switch status {
	case http.StatusUnauthorized:
		return failure(status, "INVALID_SESSION_ID", "Session expired or invalid")
	case http.StatusBadRequest:
		return failure(status, "JSON_PARSER_ERROR", detail)
	case http.StatusServiceUnavailable:
		return failure(status, "SERVER_UNAVAILABLE", detail)
	default:
		return failure(status, "UNKNOWN_EXCEPTION", detail)
	}
}

// Show tells of the day's calls, on all answers but the versions.
func (s *Salesforce) Show(c *crm.Call, answer *crm.Reply) {
	day, found := c.Main(limit.Rolling)
	if !found || !c.Known || c.Operation == versionsOperation {
		return
	}
	info := fmt.Sprintf("api-usage=%d/%d", day.Limit.Calls-day.Remaining, day.Limit.Calls)
	if app, has := appQuota(c); has {
		info += fmt.Sprintf("; per-app-api-usage=%d/%d(appName=%s)", app.Limit.Calls-app.Remaining, app.Limit.Calls, c.Credential)
	}
	answer.Header.Set("Sforce-Limit-Info", info)
}

// appQuota is the quota that the org has given the caller's connected app: a rolling limit for each credential.
func appQuota(c *crm.Call) (crm.Standing, bool) {
	for s := range c.Standings {
		if s.Limit.Per == limit.PerCredential && s.Limit.Kind == limit.Rolling {
			return s, true
		}
	}
	return crm.Standing{}, false
}

// Token tells where the organisation is.
func (s *Salesforce) Token(base string, answer map[string]any) {
	answer["instance_url"] = base
	answer["id"] = base + "/id/00D5e0000000001AAA/0055e0000000001AAA"
}

// Effects are all records but the made-up ones.
func (s *Salesforce) Effects(now time.Time) crm.Effects { return s.store.Effects(now) }

func (s *Salesforce) versions(*crm.Call) crm.Reply {
	return crm.JSON(http.StatusOK, []map[string]string{{"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"}})
}

// staleness is how old the figures of /limits may be, and are here.
const staleness = 5 * time.Minute

func (s *Salesforce) limits(c *crm.Call) crm.Reply {
	if s.reportedAt.IsZero() || c.Now.Sub(s.reportedAt) >= staleness {
		s.reported, _ = c.Main(limit.Rolling)
		s.reportedAt = c.Now
	}
	daily := map[string]any{"Max": s.reported.Limit.Calls, "Remaining": s.reported.Remaining}
	for _, app := range []string{"Ant Migration Tool", "Dataloader Bulk"} { // apps without a quota of their own
		daily[app] = map[string]int{"Max": 0, "Remaining": 0}
	}
	if app, has := appQuota(c); has {
		daily[c.Credential] = map[string]int{"Max": app.Limit.Calls, "Remaining": app.Remaining}
	}
	return crm.JSON(http.StatusOK, map[string]any{
		"DailyApiRequests":     daily,
		"DailyBulkApiBatches":  map[string]int{"Max": 15000, "Remaining": 15000},
		"DailyBulkV2QueryJobs": map[string]int{"Max": 10000, "Remaining": 10000},
	})
}

// problem is an error in Salesforce's form.
type problem struct {
	Code    string   `json:"errorCode"`
	Message string   `json:"message"`
	Fields  []string `json:"fields,omitempty"`
}

func failure(status int, code, message string) crm.Reply {
	return crm.JSON(status, []problem{{Code: code, Message: message}})
}

func notFound() crm.Reply {
	return failure(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")
}

func malformed(want string) crm.Reply {
	return failure(http.StatusBadRequest, "JSON_PARSER_ERROR", "The body must be JSON of the form "+want)
}
