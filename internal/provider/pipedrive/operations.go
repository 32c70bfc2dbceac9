// SPDX-License-Identifier: Apache-2.0

package pipedrive

import (
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// root is what every path begins with, in canonical form. Version 2 costs about half of version 1, so they stay apart.
const root = "/api/v[12]/"

// records whose calls have names, by their names in paths.
var records = []struct{ path, one, many string }{
	{"activities", "Activity", "Activities"},
	{"deals", "Deal", "Deals"},
	{"leads", "Lead", "Leads"},
	{"notes", "Note", "Notes"},
	{"organizations", "Organization", "Organizations"},
	{"persons", "Person", "Persons"},
}

var routes = newRoutes()

func newRoutes() dialect.Routes {
	all := dialect.Routes{{Name: "SearchItems", Method: http.MethodGet, Pattern: root + "itemSearch"}}
	for _, r := range records {
		path, id := root+r.path, root+r.path+"/*[0-9]*" // a number or a UUID, not the word search
		all = append(all, dialect.Routes{
			{Name: "Create" + r.one, Method: http.MethodPost, Pattern: path},
			{Name: "Delete" + r.one, Method: http.MethodDelete, Pattern: id},
			{Name: "Get" + r.one, Method: http.MethodGet, Pattern: id},
			{Name: "List" + r.many, Method: http.MethodGet, Pattern: path},
			{Name: "Search" + r.many, Method: http.MethodGet, Pattern: path + "/search"},
			{Name: "Update" + r.one, Method: http.MethodPatch, Pattern: id, Repeatable: true},
			{Name: "Update" + r.one, Method: http.MethodPut, Pattern: id},
		}...)
	}
	return dialect.Sorted(all)
}

// Operations are what manifests can name.
func (Pipedrive) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path. Updates set fields: repeating them changes nothing more. There is no key for creations.
func (p Pipedrive) Classify(method, path string, _ []byte) dialect.Class {
	return routes.Classify(method, p.Canonical(path))
}

// Canonical begins with /api, which may be left out, and is without a slash at the end.
func (Pipedrive) Canonical(path string) string {
	if strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/v2/") {
		path = "/api" + path
	}
	return dialect.TrimSlash(path)
}
