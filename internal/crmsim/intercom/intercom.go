// SPDX-License-Identifier: Apache-2.0

// Package intercom plays the Intercom API, as far as the project needs it.
package intercom

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are a minute's of an app and of a workspace, split evenly into fixed windows of ten seconds, as text of limits.
var Limits = []string{"app=1667/10s:fixed,per=credential", "workspace=4167/10s:fixed"}

// Intercom is one workspace.
type Intercom struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
}

// New returns a workspace whose only records are made-up contacts.
func New(o crm.Options) crm.CRM {
	idOf := func(_ string, number int64) string { return fmt.Sprintf("5e%022x", number) }
	i := &Intercom{store: records.New(o, idOf, "external_id", "company_id", "custom_attributes.external_id", "ticket_attributes.external_id")}
	i.store.MakeUp("contacts", func(n int) records.Fields {
		name, email, phone := records.Contact(n)
		return records.Fields{"role": "user", "name": name, "email": email, "phone": phone}
	})
	routes := []crm.Route{
		{Method: http.MethodGet, Pattern: "/me", Operation: "Me", Run: i.me},
		{Method: http.MethodPost, Pattern: "/contacts", Operation: "CreateContact", Run: i.createContact},
		{Method: http.MethodPost, Pattern: "/events", Operation: "CreateEvent", Run: i.createEvent},
		{Method: http.MethodPost, Pattern: "/contacts/{id}/notes", Operation: "CreateNote", Run: i.appendTo("contacts", "notes")},
		{Method: http.MethodPost, Pattern: "/conversations/{id}/reply", Operation: "ReplyToConversation", Run: i.appendTo("conversations", "parts")},
		{Method: http.MethodPost, Pattern: "/companies", Operation: "UpsertCompany", Run: i.upsertCompany},
		{Method: http.MethodPost, Pattern: "/contacts/bulk", Operation: "BulkContacts", Run: i.bulkContacts},
		{Method: http.MethodGet, Pattern: "/contacts/bulk/{id}", Operation: "GetBulkJob", Run: i.getJob},
		{Method: http.MethodPost, Pattern: "/companies/bulk", Operation: "BulkCompanies", Run: i.bulkCompanies},
		{Method: http.MethodGet, Pattern: "/companies/bulk/{id}", Operation: "GetBulkJob", Run: i.getJob},
	}
	for kind, name := range map[string]string{"contacts": "Contact", "companies": "Company", "conversations": "Conversation", "tickets": "Ticket"} {
		routes = append(routes,
			crm.Route{Method: http.MethodPost, Pattern: "/" + kind + "/search", Operation: "Search" + name + "s", Run: i.searchIn(kind)},
			crm.Route{Method: http.MethodGet, Pattern: "/" + kind, Operation: "List" + name + "s", Run: i.listIn(kind)},
			crm.Route{Method: http.MethodGet, Pattern: "/" + kind + "/{id}", Operation: "Get" + name, Run: i.getIn(kind)},
			crm.Route{Method: http.MethodPut, Pattern: "/" + kind + "/{id}", Operation: "Update" + name, Run: i.updateIn(kind)},
			crm.Route{Method: http.MethodDelete, Pattern: "/" + kind + "/{id}", Operation: "Delete" + name, Run: i.removeIn(kind)},
		)
		if kind == "conversations" || kind == "tickets" {
			routes = append(routes, crm.Route{Method: http.MethodPost, Pattern: "/" + kind, Operation: "Create" + name, Run: i.createIn(kind)})
		}
	}
	i.routes = crm.Compile(routes...)
	return i
}

// Endpoint goes by method and path.
func (i *Intercom) Endpoint(method, path string) crm.Endpoint {
	return i.routes.Find(method, path, func(*crm.Call) crm.Reply { return notFound() })
}

// Secret is a bearer token.
func (i *Intercom) Secret(r *http.Request) (user, secret string, found bool) {
	secret, found = crm.Bearer(r)
	return "", secret, found
}

// Refuse is 429, and no word of when to come back but the reset among the headers.
func (i *Intercom) Refuse(_ *crm.Call, r crm.Refusal) crm.Reply {
	return failure(http.StatusTooManyRequests, "rate_limit_exceeded",
		fmt.Sprintf("Exceeded rate limit of %d in %d_seconds", r.Limit.Calls, int(r.Limit.Window.Seconds())))
}

// Fail is a list of one error.
func (i *Intercom) Fail(status int, detail string) crm.Reply {
	switch status {
	case http.StatusUnauthorized:
		return failure(status, "unauthorized", "Access Token Invalid")
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return failure(status, "parameter_invalid", detail)
	case http.StatusServiceUnavailable:
		return failure(status, "service_unavailable", detail)
	default:
		return failure(status, "server_error", detail)
	}
}

// Show tells of the window of ten seconds, to callers that it knows.
func (i *Intercom) Show(c *crm.Call, answer *crm.Reply) {
	if s, found := c.Main(limit.Fixed); found && c.Known {
		answer.Header.Set("X-RateLimit-Limit", strconv.Itoa(s.Limit.Calls))
		answer.Header.Set("X-RateLimit-Remaining", strconv.Itoa(s.Remaining))
		answer.Header.Set("X-RateLimit-Reset", crm.UnixSeconds(c.Now, s.More))
	}
}

// Effects are all records but the made-up ones.
func (i *Intercom) Effects(now time.Time) crm.Effects { return i.store.Effects(now) }

func (i *Intercom) me(*crm.Call) crm.Reply {
	return crm.JSON(http.StatusOK, map[string]any{"type": "admin", "id": "1", "app": map[string]string{"type": "app", "id_code": "acme", "timezone": "UTC"}})
}

func failure(status int, code, message string) crm.Reply {
	return crm.JSON(status, map[string]any{"type": "error.list", "errors": []map[string]string{{"code": code, "message": message}}})
}

func notFound() crm.Reply { return failure(http.StatusNotFound, "not_found", "Resource Not Found") }

func malformed() crm.Reply {
	return failure(http.StatusBadRequest, "parameter_invalid", "the body is not valid JSON of the expected form")
}
