// SPDX-License-Identifier: Apache-2.0

package freshdesk

import (
	"net/http"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

var routes = dialect.Routes{
	{Name: "AddNote", Method: http.MethodPost, Pattern: "/api/v2/tickets/*/notes"},
	{Name: "CreateContact", Method: http.MethodPost, Pattern: "/api/v2/contacts"},
	{Name: "CreateTicket", Method: http.MethodPost, Pattern: "/api/v2/tickets"},
	{Name: "DeleteTickets", Method: http.MethodPost, Pattern: "/api/v2/tickets/bulk_delete", Repeatable: true},
	{Name: "GetContact", Method: http.MethodGet, Pattern: "/api/v2/contacts/*"},
	{Name: "GetTicket", Method: http.MethodGet, Pattern: "/api/v2/tickets/*"},
	{Name: "ListContacts", Method: http.MethodGet, Pattern: "/api/v2/contacts"},
	{Name: "ListTickets", Method: http.MethodGet, Pattern: "/api/v2/tickets"},
	{Name: "ReplyToTicket", Method: http.MethodPost, Pattern: "/api/v2/tickets/*/reply"},
	{Name: "SearchContacts", Method: http.MethodGet, Pattern: "/api/v2/search/contacts"},
	{Name: "SearchTickets", Method: http.MethodGet, Pattern: "/api/v2/search/tickets"},
	{Name: "UpdateContact", Method: http.MethodPut, Pattern: "/api/v2/contacts/*"},
	{Name: "UpdateTicket", Method: http.MethodPut, Pattern: "/api/v2/tickets/*"},
	{Name: "UpdateTickets", Method: http.MethodPost, Pattern: "/api/v2/tickets/bulk_update"},
}

// Operations are what manifests can name.
func (Freshdesk) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path. A bulk update can reply to each ticket, so it is not to be repeated.
func (f Freshdesk) Classify(method, path string, _ []byte) dialect.Class {
	return routes.Classify(method, f.Canonical(path))
}

// Canonical is without a slash at the end.
func (Freshdesk) Canonical(path string) string { return dialect.TrimSlash(path) }
