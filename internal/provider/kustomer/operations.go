// SPDX-License-Identifier: Apache-2.0

package kustomer

import (
	"net/http"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// records whose calls have names, by their names in paths.
var records = []struct{ path, one, many string }{
	{"companies", "Company", "Companies"},
	{"conversations", "Conversation", "Conversations"},
	{"customers", "Customer", "Customers"},
	{"messages", "Message", "Messages"},
}

var routes = newRoutes()

func newRoutes() dialect.Routes {
	all := dialect.Routes{
		{Name: "CreateConversation", Method: http.MethodPost, Pattern: "/v1/customers/*/conversations"},
		{Name: "CreateMessage", Method: http.MethodPost, Pattern: "/v1/conversations/*/messages"},
		{Name: "CreateMessage", Method: http.MethodPost, Pattern: "/v1/customers/*/messages"},
		{Name: "SearchCustomers", Method: http.MethodPost, Pattern: "/v1/customers/search", Repeatable: true},
	}
	for _, r := range records {
		path := "/v1/" + r.path
		all = append(all, dialect.Routes{
			{Name: "Create" + r.one, Method: http.MethodPost, Pattern: path},
			{Name: "Create" + r.many, Method: http.MethodPost, Pattern: path + "/bulk"},
			{Name: "Delete" + r.many, Method: http.MethodDelete, Pattern: path + "/bulk"},
			{Name: "Get" + r.one, Method: http.MethodGet, Pattern: path + "/*"},
			{Name: "Update" + r.one, Method: http.MethodPut, Pattern: path + "/*"},
			{Name: "Update" + r.many, Method: http.MethodPut, Pattern: path + "/bulk"},
		}...)
	}
	return dialect.Sorted(all)
}

// Operations are what manifests can name.
func (Kustomer) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path. There is no key for creations.
func (k Kustomer) Classify(method, path string, _ []byte) dialect.Class {
	return routes.Classify(method, k.Canonical(path))
}

// Canonical is without a slash at the end.
func (Kustomer) Canonical(path string) string { return dialect.TrimSlash(path) }
