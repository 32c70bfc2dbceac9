// SPDX-License-Identifier: Apache-2.0

package servicenow

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// records is what paths of the Table API begin with, in canonical form.
const records = "/api/now/table/"

// tables whose calls have names, by their names in paths.
var tables = []struct{ table, one, many string }{
	{"customer_contact", "Contact", "Contacts"},
	{"incident", "Incident", "Incidents"},
	{"interaction", "Interaction", "Interactions"},
	{"sn_customerservice_case", "Case", "Cases"},
	{"sys_user", "User", "Users"},
}

var routes = newRoutes()

func newRoutes() dialect.Routes {
	all := dialect.Routes{
		{Name: "Batch", Method: http.MethodPost, Pattern: "/api/now/batch"},
		{Name: "ImportRecord", Method: http.MethodPost, Pattern: "/api/now/import/*"},
		{Name: "ImportRecords", Method: http.MethodPost, Pattern: "/api/now/import/*/insertMultiple"},
	}
	for _, t := range tables {
		path := records + t.table
		all = append(all, dialect.Routes{
			{Name: "Create" + t.one, Method: http.MethodPost, Pattern: path},
			{Name: "Get" + t.one, Method: http.MethodGet, Pattern: path + "/*"},
			{Name: "List" + t.many, Method: http.MethodGet, Pattern: path},
			{Name: "Update" + t.one, Method: http.MethodPatch, Pattern: path + "/*"},
			{Name: "Update" + t.one, Method: http.MethodPut, Pattern: path + "/*"},
		}...)
	}
	return dialect.Sorted(all)
}

// Operations are what manifests can name.
func (ServiceNow) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path, and for updates by the body: they set fields, but to a journal they add.
func (s ServiceNow) Classify(method, path string, body []byte) dialect.Class {
	path = s.Canonical(path)
	class := routes.Classify(method, path)
	if (method == http.MethodPut || method == http.MethodPatch) && strings.HasPrefix(path, records) {
		class.Idempotent = !journals(body)
	}
	return class
}

// journals says whether an update writes to one of the journal fields that tasks have. What cannot be read does. Journal fields that an administrator has added
// are not known here.
func journals(body []byte) bool {
	if len(body) == 0 {
		return false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return true
	}
	for _, name := range []string{"comments", "work_notes", "comments_and_work_notes"} {
		if _, written := fields[name]; written {
			return true
		}
	}
	return false
}

// Canonical is without the API's version, which may be left out, and without a slash at the end.
func (ServiceNow) Canonical(path string) string {
	segments := strings.Split(dialect.TrimSlash(path), "/")
	if len(segments) > 4 && segments[1] == "api" && segments[2] == "now" && (dialect.IsVersion(segments[3]) || segments[3] == "*" && segments[4] == "table") {
		segments = append(segments[:3], segments[4:]...)
	}
	return strings.Join(segments, "/")
}
