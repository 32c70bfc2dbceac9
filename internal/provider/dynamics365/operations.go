// SPDX-License-Identifier: Apache-2.0

package dynamics365

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// data is what every path begins with, in canonical form; actions on many records have names in this namespace.
const (
	data      = "/api/data/v/"
	namespace = "Microsoft.Dynamics.CRM."
)

// table has the names of one kind of records: in paths, in operations, and of its key.
type table struct{ set, one, many, key string }

var tables = []table{
	{"accounts", "Account", "Accounts", "accountid"},
	{"contacts", "Contact", "Contacts", "contactid"},
	{"incidents", "Case", "Cases", "incidentid"},
	{"leads", "Lead", "Leads", "leadid"},
	{"phonecalls", "PhoneCall", "PhoneCalls", "activityid"},
	{"tasks", "Task", "Tasks", "activityid"},
}

var routes = newRoutes()

func newRoutes() dialect.Routes {
	all := dialect.Routes{
		{Name: "Batch", Method: http.MethodPost, Pattern: data + "$batch"},
		{Name: "Search", Method: http.MethodPost, Pattern: "/api/search/*/query", Repeatable: true},
	}
	for _, t := range tables {
		path, record := data+t.set, data+t.set+"(*)"
		all = append(all, dialect.Routes{
			{Name: "Create" + t.one, Method: http.MethodPost, Pattern: path},
			{Name: "Create" + t.many, Method: http.MethodPost, Pattern: path + "/" + namespace + "CreateMultiple"},
			{Name: "Delete" + t.one, Method: http.MethodDelete, Pattern: record},
			{Name: "Get" + t.one, Method: http.MethodGet, Pattern: record},
			{Name: "List" + t.many, Method: http.MethodGet, Pattern: path},
			{Name: "Update" + t.one, Method: http.MethodPatch, Pattern: record},
			{Name: "Update" + t.many, Method: http.MethodPost, Pattern: path + "/" + namespace + "UpdateMultiple"},
			{Name: "Upsert" + t.many, Method: http.MethodPost, Pattern: path + "/" + namespace + "UpsertMultiple"},
		}...)
	}
	return dialect.Sorted(all)
}

// repeatable are calls to any table that have no further effect when they are sent again.
var repeatable = dialect.Routes{
	{Method: http.MethodPatch, Pattern: data + "*(*)", Repeatable: true},
	{Method: http.MethodPost, Pattern: data + "*/" + namespace + "UpdateMultiple", Repeatable: true},
	{Method: http.MethodPost, Pattern: data + "*/" + namespace + "UpsertMultiple", Repeatable: true},
}

// Operations are what manifests can name.
func (Dynamics365) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path. PATCH sets columns of the record with that key, which it makes if there is none: repeating it changes nothing more. So it is
// with a creation whose body names the record's key.
func (d Dynamics365) Classify(method, path string, body []byte) dialect.Class {
	path = d.Canonical(path)
	class := routes.Classify(method, path)
	class.Idempotent = class.Idempotent || repeatable.Find(method, path).Repeatable || method == http.MethodPost && keyed(path, body)
	return class
}

// keyed says whether a creation chooses the key of its record.
func keyed(path string, body []byte) bool {
	for _, t := range tables {
		if path != data+t.set {
			continue
		}
		var record map[string]any
		if json.Unmarshal(body, &record) != nil {
			return false
		}
		key, _ := record[t.key].(string)
		return key != ""
	}
	return false
}

// Canonical is without the API's version, with keys in lower case and without braces, and without a slash at the end.
func (Dynamics365) Canonical(path string) string {
	if !strings.HasPrefix(path, "/api/data/") {
		return dialect.TrimSlash(path)
	}
	path = dialect.OneVersion(path, 3)
	start, end := strings.IndexByte(path, '('), strings.LastIndexByte(path, ')')
	if start < 0 || end < start {
		return path
	}
	key := strings.Trim(path[start+1:end], "{}")
	if strings.Trim(strings.ToLower(key), "0123456789abcdef-") == "" { // a GUID; alternate keys go by their case
		key = strings.ToLower(key)
	}
	return path[:start+1] + key + path[end:]
}
