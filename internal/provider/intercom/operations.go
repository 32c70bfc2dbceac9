// SPDX-License-Identifier: Apache-2.0

package intercom

import (
	"net/http"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

var routes = dialect.Routes{
	{Name: "CreateContact", Method: http.MethodPost, Pattern: "/contacts"},
	{Name: "CreateContacts", Method: http.MethodPost, Pattern: "/contacts/bulk"},
	{Name: "CreateConversation", Method: http.MethodPost, Pattern: "/conversations"},
	{Name: "CreateEvent", Method: http.MethodPost, Pattern: "/events"},
	{Name: "CreateNote", Method: http.MethodPost, Pattern: "/contacts/*/notes"},
	{Name: "CreateTicket", Method: http.MethodPost, Pattern: "/tickets"},
	{Name: "GetContact", Method: http.MethodGet, Pattern: "/contacts/*"},
	{Name: "GetConversation", Method: http.MethodGet, Pattern: "/conversations/*"},
	{Name: "GetTicket", Method: http.MethodGet, Pattern: "/tickets/*"},
	{Name: "ReplyToConversation", Method: http.MethodPost, Pattern: "/conversations/*/reply"},
	{Name: "SearchContacts", Method: http.MethodPost, Pattern: "/contacts/search", Repeatable: true},
	{Name: "SearchConversations", Method: http.MethodPost, Pattern: "/conversations/search", Repeatable: true},
	{Name: "SearchTickets", Method: http.MethodPost, Pattern: "/tickets/search", Repeatable: true},
	{Name: "UpdateContact", Method: http.MethodPut, Pattern: "/contacts/*"},
	{Name: "UpdateConversation", Method: http.MethodPut, Pattern: "/conversations/*"},
	{Name: "UpdateTicket", Method: http.MethodPut, Pattern: "/tickets/*"},
	{Name: "UpsertCompanies", Method: http.MethodPost, Pattern: "/companies/bulk", Repeatable: true},
	{Name: "UpsertCompany", Method: http.MethodPost, Pattern: "/companies", Repeatable: true},
}

// Operations are what manifests can name.
func (Intercom) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path. Companies are found by their company_id, and searches only read: repeating them changes nothing more. A repeated event counts
// once more.
func (i Intercom) Classify(method, path string, _ []byte) dialect.Class {
	return routes.Classify(method, i.Canonical(path))
}

// Canonical is without a slash at the end.
func (Intercom) Canonical(path string) string { return dialect.TrimSlash(path) }
