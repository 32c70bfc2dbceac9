// SPDX-License-Identifier: Apache-2.0

// Package freshdesk plays the Freshdesk API, as far as the project needs it.
package freshdesk

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are those of the Pro plan, as text of limits.
var Limits = []string{
	"minute=400/60s:fixed",
	"create=160/60s:fixed,operation=CreateTicket",
	"update=160/60s:fixed,operation=UpdateTicket",
	"list=100/60s:fixed,operation=ListTickets",
	"contacts=100/60s:fixed,operation=ListContacts",
}

// Freshdesk is one account.
type Freshdesk struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
}

// New returns an account whose only records are made-up contacts.
func New(o crm.Options) crm.CRM {
	idOf := func(_ string, number int64) string { return strconv.FormatInt(number, 10) }
	f := &Freshdesk{store: records.New(o, idOf, "unique_external_id", "custom_fields.cf_external_id")}
	f.store.MakeUp("contacts", func(i int) records.Fields {
		name, email, phone := records.Contact(i)
		return records.Fields{"name": name, "email": email, "phone": phone}
	})
	f.routes = crm.Compile(
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/agents/me", Operation: "CurrentAgent", Run: f.me},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/tickets/bulk_update", Operation: "BulkUpdateTickets", Run: f.bulkUpdate},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/tickets/bulk_delete", Operation: "BulkDeleteTickets", Run: f.bulkDelete},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/tickets/{id}/notes", Operation: "AddNote", Run: f.converse},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/tickets/{id}/reply", Operation: "ReplyToTicket", Run: f.converse},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/jobs/{id}", Operation: "GetJob", Run: f.getJob},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/search/tickets", Operation: "SearchTickets", Run: f.searchIn("tickets")},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/search/contacts", Operation: "SearchContacts", Run: f.searchIn("contacts")},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/tickets", Operation: "CreateTicket", Run: f.createIn("tickets")},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/tickets", Operation: "ListTickets", Run: f.listIn("tickets")},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/tickets/{id}", Operation: "GetTicket", Run: f.getIn("tickets")},
		crm.Route{Method: http.MethodPut, Pattern: "/api/v2/tickets/{id}", Operation: "UpdateTicket", Run: f.updateIn("tickets")},
		crm.Route{Method: http.MethodDelete, Pattern: "/api/v2/tickets/{id}", Operation: "DeleteTicket", Run: f.removeIn("tickets")},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/contacts", Operation: "CreateContact", Run: f.createIn("contacts")},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/contacts", Operation: "ListContacts", Run: f.listIn("contacts")},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/contacts/{id}", Operation: "GetContact", Run: f.getIn("contacts")},
		crm.Route{Method: http.MethodPut, Pattern: "/api/v2/contacts/{id}", Operation: "UpdateContact", Run: f.updateIn("contacts")},
		crm.Route{Method: http.MethodDelete, Pattern: "/api/v2/contacts/{id}", Operation: "DeleteContact", Run: f.removeIn("contacts")},
	)
	return f
}

func (f *Freshdesk) me(*crm.Call) crm.Reply {
	return crm.JSON(http.StatusOK, map[string]any{"id": 1, "type": "support_agent", "contact": map[string]any{"name": "Agent"}})
}

// Endpoint goes by method and path.
func (f *Freshdesk) Endpoint(method, path string) crm.Endpoint {
	return f.routes.Find(method, path, func(*crm.Call) crm.Reply { return crm.Empty(http.StatusNotFound) })
}

// Secret is an API key, as the user of a basic credential whose password says nothing.
func (f *Freshdesk) Secret(r *http.Request) (user, secret string, found bool) {
	secret, _, found = r.BasicAuth()
	return "", secret, found
}

// embedded is what each thing takes that a read includes (developers.freshdesk.com/api, list all tickets).
const embedded = 2

// Weight is more than once for a search, of which it is not documented how much more, and for each part that include asks for.
func (f *Freshdesk) Weight(c *crm.Call) int {
	weight := 1
	if strings.HasPrefix(c.Operation, "Search") {
		weight++
	}
	if include := c.Query("include"); include != "" {
		weight += embedded * len(strings.Split(include, ","))
	}
	return weight
}

// Refuse is 429 with Retry-After.
func (f *Freshdesk) Refuse(_ *crm.Call, r crm.Refusal) crm.Reply {
	answer := crm.JSON(http.StatusTooManyRequests, map[string]string{"message": "You have exceeded the limit of requests per minute"})
	answer.Header.Set("Retry-After", crm.Seconds(max(r.Retry, time.Second)))
	return answer
}

// Fail is an error in Freshdesk's form.
func (f *Freshdesk) Fail(status int, detail string) crm.Reply {
	if status == http.StatusUnauthorized {
		return crm.JSON(status, map[string]string{"code": "invalid_credentials", "message": "You have to be logged in to perform this action."})
	}
	return crm.JSON(status, map[string]string{"code": "error", "message": detail})
}

// Show tells of the account's minute. Figures have been seen with a fraction.
func (f *Freshdesk) Show(c *crm.Call, answer *crm.Reply) {
	if s, found := c.Main(); found {
		answer.Header.Set("X-RateLimit-Total", fmt.Sprintf("%d.0", s.Limit.Calls))
		answer.Header.Set("X-RateLimit-Remaining", fmt.Sprintf("%d.0", s.Remaining))
		answer.Header.Set("X-RateLimit-Used-CurrentRequest", fmt.Sprintf("%d.0", f.Weight(c)))
	}
}

// Effects are all records but the made-up ones.
func (f *Freshdesk) Effects(now time.Time) crm.Effects { return f.store.Effects(now) }

func invalid(field, message string) crm.Reply {
	return crm.JSON(http.StatusBadRequest, map[string]any{
		"description": "Validation failed", "errors": []map[string]string{{"field": field, "message": message, "code": "missing_field"}},
	})
}
