// SPDX-License-Identifier: Apache-2.0

package hubspot

import (
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// objects is what paths of records begin with, in canonical form.
const objects = "/crm/objects/"

// named are the types of records whose calls have names, by their names in paths.
var named = map[string]struct{ one, many string }{
	"calls":     {"Call", "Calls"},
	"companies": {"Company", "Companies"},
	"contacts":  {"Contact", "Contacts"},
	"deals":     {"Deal", "Deals"},
	"notes":     {"Note", "Notes"},
	"tasks":     {"Task", "Tasks"},
	"tickets":   {"Ticket", "Tickets"},
}

// numbered are types by their numbers, which paths can have in place of names.
var numbered = map[string]string{"0-1": "contacts", "0-2": "companies", "0-3": "deals", "0-5": "tickets"}

var routes = newRoutes()

func newRoutes() dialect.Routes {
	all := dialect.Routes{
		{Name: "CreateAssociations", Method: http.MethodPost, Pattern: "/crm/associations/*/*/batch/create", Repeatable: true},
		{Name: "ReadAssociations", Method: http.MethodPost, Pattern: "/crm/associations/*/*/batch/read", Repeatable: true},
	}
	for kind, name := range named {
		path := objects + kind
		all = append(all, dialect.Routes{
			{Name: "Archive" + name.many, Method: http.MethodPost, Pattern: path + "/batch/archive", Repeatable: true},
			{Name: "Create" + name.one, Method: http.MethodPost, Pattern: path},
			{Name: "Create" + name.many, Method: http.MethodPost, Pattern: path + "/batch/create"},
			{Name: "Get" + name.one, Method: http.MethodGet, Pattern: path + "/*"},
			{Name: "List" + name.many, Method: http.MethodGet, Pattern: path},
			{Name: "Read" + name.many, Method: http.MethodPost, Pattern: path + "/batch/read", Repeatable: true},
			{Name: "Search" + name.many, Method: http.MethodPost, Pattern: path + "/search", Repeatable: true},
			{Name: "Update" + name.one, Method: http.MethodPatch, Pattern: path + "/*", Repeatable: true},
			{Name: "Update" + name.many, Method: http.MethodPost, Pattern: path + "/batch/update", Repeatable: true},
			{Name: "Upsert" + name.many, Method: http.MethodPost, Pattern: path + "/batch/upsert", Repeatable: true},
		}...)
	}
	return dialect.Sorted(all)
}

// anyObject are paths of records of any type.
var anyObject = dialect.Routes{
	{Method: http.MethodPatch, Pattern: objects + "*/*", Repeatable: true},
	{Method: http.MethodPost, Pattern: objects + "*/search", Repeatable: true},
	{Method: http.MethodPost, Pattern: objects + "*/batch/archive", Repeatable: true},
	{Method: http.MethodPost, Pattern: objects + "*/batch/read", Repeatable: true},
	{Method: http.MethodPost, Pattern: objects + "*/batch/update", Repeatable: true},
	{Method: http.MethodPost, Pattern: objects + "*/batch/upsert", Repeatable: true},
}

// Operations are what manifests can name.
func (HubSpot) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path. Updates set properties, upserts find their records by a unique property, and searches only read: repeating them changes nothing
// more. There is no key for creations.
func (h HubSpot) Classify(method, path string, _ []byte) dialect.Class {
	path = h.Canonical(path)
	class := routes.Classify(method, path)
	class.Idempotent = class.Idempotent || anyObject.Find(method, path).Repeatable
	return class
}

// Canonical is without the API's version, which stands before the word objects or associations, or is a date behind it; with names of types in place of numbers;
// and without a slash at the end.
func (HubSpot) Canonical(path string) string {
	segments := strings.Split(dialect.TrimSlash(path), "/")
	if len(segments) < 4 || segments[1] != "crm" {
		return dialect.TrimSlash(path)
	}
	rest := segments[2:]
	if rest[0] == "*" || dialect.IsVersion(rest[0]) {
		rest = rest[1:]
	}
	if rest[0] != "objects" && rest[0] != "associations" {
		return dialect.TrimSlash(path)
	}
	kinds := rest[1:]
	if len(kinds) > 0 && dated(kinds[0]) {
		kinds = kinds[1:]
	}
	if len(kinds) > 0 {
		if name, known := numbered[kinds[0]]; known {
			kinds[0] = name
		}
	}
	return strings.Join(append([]string{"", "crm", rest[0]}, kinds...), "/")
}

// dated says whether a segment is a version such as 2026-03.
func dated(segment string) bool {
	return len(segment) == len("2026-03") && segment[4] == '-' && strings.Trim(segment, "0123456789-") == ""
}
