// SPDX-License-Identifier: Apache-2.0

// Package kustomer plays the Kustomer API, as far as the project needs it.
package kustomer

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are those of the Enterprise plan, as text of limits.
var Limits = []string{
	"minute=1000/60s:fixed",
	"search=100/60s:fixed,operation=SearchCustomers",
	"messages=120/60s:fixed,path=/v1/customers/*/messages,per=record,method=POST",
}

// Kustomer is one organisation.
type Kustomer struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
}

// New returns an organisation whose only records are made-up customers.
func New(o crm.Options) crm.CRM {
	idOf := func(_ string, number int64) string { return fmt.Sprintf("5e%022x", number) }
	k := &Kustomer{store: records.New(o, idOf, "externalId")}
	k.store.MakeUp("customers", func(i int) records.Fields {
		name, email, phone := records.Contact(i)
		return records.Fields{"name": name, "emails": email, "phones": phone}
	})
	routes := []crm.Route{
		{Method: http.MethodGet, Pattern: "/v1/users/current", Operation: "CurrentUser", Run: k.me},
		{Method: http.MethodPost, Pattern: "/v1/customers/search", Operation: "SearchCustomers", Run: k.search},
		{Method: http.MethodPost, Pattern: "/v1/customers/{id}/messages", Operation: "CreateMessage", Run: k.createOf("customers", "messages")},
		{Method: http.MethodPost, Pattern: "/v1/customers/{id}/conversations", Operation: "CreateConversation", Run: k.createOf("customers", "conversations")},
		{Method: http.MethodPost, Pattern: "/v1/conversations/{id}/messages", Operation: "CreateMessage", Run: k.createOf("conversations", "messages")},
		{Method: http.MethodGet, Pattern: "/v1/bulk/{id}", Operation: "GetBulkOperation", Run: k.getBulk},
		{Method: http.MethodGet, Pattern: "/v1/bulk/{id}/batches", Operation: "GetBulkBatches", Run: k.getBatches},
	}
	for kind, name := range map[string]string{"customers": "Customer", "conversations": "Conversation", "messages": "Message", "companies": "Company"} {
		routes = append(routes,
			crm.Route{Method: http.MethodPost, Pattern: "/v1/" + kind + "/bulk", Operation: "BulkCreate" + name + "s", Run: k.bulkCreate(kind)},
			crm.Route{Method: http.MethodPut, Pattern: "/v1/" + kind + "/bulk", Operation: "BulkUpdate" + name + "s", Run: k.bulkUpdate(kind)},
			crm.Route{Method: http.MethodDelete, Pattern: "/v1/" + kind + "/bulk", Operation: "BulkDelete" + name + "s", Run: k.bulkDelete(kind)},
			crm.Route{Method: http.MethodPost, Pattern: "/v1/" + kind, Operation: "Create" + name, Run: k.createIn(kind)},
			crm.Route{Method: http.MethodGet, Pattern: "/v1/" + kind, Operation: "List" + name + "s", Run: k.listIn(kind)},
			crm.Route{Method: http.MethodGet, Pattern: "/v1/" + kind + "/{id}", Operation: "Get" + name, Run: k.getIn(kind)},
			crm.Route{Method: http.MethodPut, Pattern: "/v1/" + kind + "/{id}", Operation: "Update" + name, Run: k.updateIn(kind)},
			crm.Route{Method: http.MethodPatch, Pattern: "/v1/" + kind + "/{id}", Operation: "Update" + name, Run: k.updateIn(kind)},
			crm.Route{Method: http.MethodDelete, Pattern: "/v1/" + kind + "/{id}", Operation: "Delete" + name, Run: k.removeIn(kind)},
		)
	}
	k.routes = crm.Compile(routes...)
	return k
}

func (k *Kustomer) me(*crm.Call) crm.Reply {
	return crm.JSON(http.StatusOK, map[string]any{"data": map[string]any{"type": "user", "id": "1", "attributes": map[string]any{"name": "Agent"}}})
}

// Endpoint goes by method and path.
func (k *Kustomer) Endpoint(method, path string) crm.Endpoint {
	return k.routes.Find(method, path, func(*crm.Call) crm.Reply { return notFound() })
}

// Secret is a bearer token.
func (k *Kustomer) Secret(r *http.Request) (user, secret string, found bool) {
	secret, found = crm.Bearer(r)
	return "", secret, found
}

// Refuse is 429, and no word of when to come back but the reset among the headers.
func (k *Kustomer) Refuse(*crm.Call, crm.Refusal) crm.Reply {
	return failure(http.StatusTooManyRequests, "rate_limit", "Too many requests")
}

// Fail is a list of one error.
func (k *Kustomer) Fail(status int, detail string) crm.Reply {
	if status == http.StatusUnauthorized {
		return failure(status, "auth_failed", "unauthorized")
	}
	return failure(status, "error", detail)
}

// Show tells of the organisation's minute. The reset is a moment, taken for seconds since the epoch.
func (k *Kustomer) Show(c *crm.Call, answer *crm.Reply) {
	if s, found := c.Main(limit.Fixed); found {
		answer.Header.Set("x-ratelimit-limit", strconv.Itoa(s.Limit.Calls))
		answer.Header.Set("x-ratelimit-remaining", strconv.Itoa(s.Remaining))
		answer.Header.Set("x-ratelimit-reset", crm.UnixSeconds(c.Now, s.More))
	}
}

// Effects are all records but the made-up ones.
func (k *Kustomer) Effects(now time.Time) crm.Effects { return k.store.Effects(now) }

func failure(status int, code, title string) crm.Reply {
	return crm.JSON(status, map[string]any{"errors": []map[string]any{{"status": status, "code": code, "title": title}}})
}

func notFound() crm.Reply { return failure(http.StatusNotFound, "not_found", "Resource not found") }

func malformed() crm.Reply {
	return failure(http.StatusBadRequest, "bad_request", "the body is not valid JSON of the expected form")
}
