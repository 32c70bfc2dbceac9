// SPDX-License-Identifier: Apache-2.0

// Package dynamics365 plays the Web API of Microsoft Dataverse, as far as the project needs it. It is one web server: the real one has several, each of which counts for
// itself.
package dynamics365

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are the service protection limits of a user, as text of limits. That on execution time is not among them: calls here take the time they are told to. Nor is the
// daily entitlement, which is not enforced.
var Limits = []string{"requests=6000/5m,per=credential", "concurrent=52/concurrent,per=credential"}

// Dataverse is one environment.
type Dataverse struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
	// pushed counts the refusals of a caller since its last call that was taken.
	pushed map[string]int
}

// New returns an environment whose only records are made-up contacts.
func New(o crm.Options) crm.CRM {
	d := &Dataverse{store: records.New(o, idOf, "crmq_externalid", "externaluseridentifier"), pushed: map[string]int{}}
	d.store.MakeUp("contacts", func(i int) records.Fields {
		name, email, phone := records.Contact(i)
		return records.Fields{"lastname": name, "emailaddress1": email, "telephone1": phone}
	})
	const data = "/api/data/{version}"
	d.routes = crm.Compile(
		crm.Route{Method: http.MethodGet, Pattern: data + "/WhoAmI", Operation: "WhoAmI", Run: d.whoAmI},
		crm.Route{Method: http.MethodPost, Pattern: "/api/search/{version}/query", Operation: "Search", Run: d.search},
		crm.Route{Method: http.MethodPost, Pattern: data + "/$batch", Operation: "Batch", Run: d.batch},
		crm.Route{Method: http.MethodGet, Pattern: data + "/{set}({id})", Operation: "GetRecord", Run: d.get},
		crm.Route{Method: http.MethodPatch, Pattern: data + "/{set}({id})", Operation: "UpsertRecord", Run: d.upsert},
		crm.Route{Method: http.MethodDelete, Pattern: data + "/{set}({id})", Operation: "DeleteRecord", Run: d.remove},
		crm.Route{Method: http.MethodGet, Pattern: data + "/{set}", Operation: "ListRecords", Run: d.list},
		crm.Route{Method: http.MethodPost, Pattern: data + "/{set}", Operation: "CreateRecord", Run: d.create},
		crm.Route{Method: http.MethodPost, Pattern: data + "/{set}/Microsoft.Dynamics.CRM.CreateMultiple", Operation: "CreateMultiple", Run: d.createMultiple},
		crm.Route{Method: http.MethodPost, Pattern: data + "/{set}/Microsoft.Dynamics.CRM.UpdateMultiple", Operation: "UpdateMultiple", Run: d.updateMultiple},
		crm.Route{Method: http.MethodPost, Pattern: data + "/{set}/Microsoft.Dynamics.CRM.UpsertMultiple", Operation: "UpsertMultiple", Run: d.upsertMultiple},
	)
	return d
}

// idOf makes a GUID.
func idOf(_ string, number int64) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", number) }

// Endpoint goes by method and path.
func (d *Dataverse) Endpoint(method, path string) crm.Endpoint {
	return d.routes.Find(method, path, func(*crm.Call) crm.Reply {
		return failure(http.StatusNotFound, "0x8006088a", "Resource not found for the segment")
	})
}

// Secret is a bearer token.
func (d *Dataverse) Secret(r *http.Request) (user, secret string, found bool) {
	secret, found = crm.Bearer(r)
	return "", secret, found
}

// growth is by how much the time to wait grows with each call that comes too early; the real one's figure is not known.
const growth = 5 * time.Second

// Refuse is 429 with a code in hexadecimal, and a Retry-After that grows while the caller keeps pushing.
func (d *Dataverse) Refuse(c *crm.Call, r crm.Refusal) crm.Reply {
	code, message := "0x80072322", "Number of requests exceeded the limit of %d over time window of %d seconds."
	message = fmt.Sprintf(message, r.Limit.Calls, int(r.Limit.Window.Seconds()))
	if r.Limit.Kind == limit.Concurrent {
		code, message = "0x80072326", fmt.Sprintf("Number of concurrent requests exceeded the limit of %d.", r.Limit.Calls)
	}
	answer := failure(http.StatusTooManyRequests, code, message)
	answer.Header.Set("Retry-After", crm.Seconds(max(r.Retry, time.Second)+time.Duration(d.pushed[c.Credential])*growth))
	d.pushed[c.Credential]++
	return answer
}

// Fail is an error in OData's form.
func (d *Dataverse) Fail(status int, detail string) crm.Reply {
	if status == http.StatusUnauthorized {
		answer := crm.Empty(status)
		answer.Header.Set("WWW-Authenticate", "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize")
		return answer
	}
	return failure(status, "0x80040216", detail)
}

// Show has the figures that are there for debugging: what this server has left.
func (d *Dataverse) Show(c *crm.Call, answer *crm.Reply) {
	answer.Header.Set("OData-Version", "4.0")
	if answer.Status != http.StatusTooManyRequests {
		delete(d.pushed, c.Credential)
	}
	if s, found := c.Main(limit.Rolling); found {
		answer.Header.Set("x-ms-ratelimit-burst-remaining-xrm-requests", strconv.Itoa(s.Remaining))
		answer.Header.Set("x-ms-ratelimit-time-remaining-xrm-requests", "1,200.00")
	}
}

// Effects are all records but the made-up ones.
func (d *Dataverse) Effects(now time.Time) crm.Effects { return d.store.Effects(now) }

func (d *Dataverse) whoAmI(*crm.Call) crm.Reply {
	return crm.JSON(http.StatusOK, map[string]string{"UserId": idOf("", 1), "OrganizationId": idOf("", 2)})
}

func failure(status int, code, message string) crm.Reply {
	return crm.JSON(status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

func notFound() crm.Reply { return failure(http.StatusNotFound, "0x80040217", "Does Not Exist") }

func malformed() crm.Reply {
	return failure(http.StatusBadRequest, "0x80048d19", "Error identified in Payload provided by the user")
}
