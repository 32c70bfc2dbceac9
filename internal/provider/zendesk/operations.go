// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// routes of the operations. Every path may end in ".json", too. Those for many records start a job each.
var routes = dialect.Routes{
	{Name: "CreateOrganizations", Method: http.MethodPost, Pattern: "/api/v2/organizations/create_many"},
	{Name: "CreateTicket", Method: http.MethodPost, Pattern: "/api/v2/tickets"},
	{Name: "CreateTickets", Method: http.MethodPost, Pattern: "/api/v2/tickets/create_many"},
	{Name: "CreateUsers", Method: http.MethodPost, Pattern: "/api/v2/users/create_many"},
	{Name: "DestroyOrganizations", Method: http.MethodDelete, Pattern: "/api/v2/organizations/destroy_many"},
	{Name: "DestroyTickets", Method: http.MethodDelete, Pattern: "/api/v2/tickets/destroy_many"},
	{Name: "DestroyUsers", Method: http.MethodDelete, Pattern: "/api/v2/users/destroy_many"},
	{Name: "ImportTickets", Method: http.MethodPost, Pattern: "/api/v2/imports/tickets/create_many"},
	{Name: "MarkTicketsAsSpam", Method: http.MethodPut, Pattern: "/api/v2/tickets/mark_many_as_spam"},
	{Name: "Search", Method: http.MethodGet, Pattern: "/api/v2/search"},
	{Name: "SearchUsers", Method: http.MethodGet, Pattern: "/api/v2/users/search"},
	{Name: "UpdateOrganizations", Method: http.MethodPut, Pattern: "/api/v2/organizations/update_many"},
	{Name: "UpdateTicket", Method: http.MethodPut, Pattern: "/api/v2/tickets/[0-9]*"},
	{Name: "UpdateTickets", Method: http.MethodPut, Pattern: "/api/v2/tickets/update_many"},
	{Name: "UpdateUsers", Method: http.MethodPut, Pattern: "/api/v2/users/update_many"},
	{Name: "UpsertUsers", Method: http.MethodPost, Pattern: "/api/v2/users/create_or_update_many"},
}

// Operations are what manifests can name.
func (Zendesk) Operations() []dialect.Operation { return routes.Operations() }

// idempotencyKey is understood on ticket creation only, and for two hours.
var idempotencyKey = &dialect.Key{Header: "Idempotency-Key", MaxLength: 255, ValidFor: 2 * time.Hour}

// Classify goes by method and path, and for updates of tickets by the body.
func (Zendesk) Classify(method, requestPath string, body []byte) dialect.Class {
	requestPath = Zendesk{}.Canonical(requestPath)
	class := routes.Classify(method, requestPath)
	switch {
	case class.Operation == "CreateTicket":
		class.Key = idempotencyKey
	case method == http.MethodPut && strings.HasPrefix(requestPath, "/api/v2/tickets/"):
		class.Idempotent = !comments(body)
	}
	return class
}

// Canonical leaves out a slash at the end, ".json", and zeros before a number.
func (Zendesk) Canonical(requestPath string) string {
	requestPath = strings.TrimSuffix(strings.TrimSuffix(requestPath, "/"), ".json")
	if !strings.Contains(requestPath, "/0") { // nearly always
		return requestPath
	}
	segments := strings.Split(requestPath, "/")
	for i, s := range segments {
		if id := strings.TrimLeft(s, "0"); s != id && id != "" && strings.Trim(id, "0123456789") == "" {
			segments[i] = id
		}
	}
	return strings.Join(segments, "/")
}

// comments reports whether an update of tickets adds a comment, which it would add again when repeated, whatever HTTP says of PUT. What cannot be read counts as
// a comment; an update without a body has none.
func comments(body []byte) bool {
	if len(body) == 0 {
		return false
	}
	type ticket struct {
		Comment json.RawMessage `json:"comment"`
	}
	var update struct {
		Ticket  ticket   `json:"ticket"`
		Tickets []ticket `json:"tickets"`
	}
	if json.Unmarshal(body, &update) != nil {
		return true
	}
	for _, t := range append(update.Tickets, update.Ticket) {
		if t.Comment != nil {
			return true
		}
	}
	return false
}
