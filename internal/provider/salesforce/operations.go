// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// data is what every path begins with, in canonical form.
const data = "/services/data/v"

// objects whose calls have names of their own. Calls to others are matched by their path.
var objects = []string{"Account", "Case", "Contact", "Lead", "Opportunity", "Task"}

var routes = newRoutes()

func newRoutes() dialect.Routes {
	all := dialect.Routes{
		{Name: "Composite", Method: http.MethodPost, Pattern: data + "/composite"},
		{Name: "CompositeBatch", Method: http.MethodPost, Pattern: data + "/composite/batch"},
		{Name: "CompositeGraph", Method: http.MethodPost, Pattern: data + "/composite/graph"},
		{Name: "CreateRecords", Method: http.MethodPost, Pattern: data + "/composite/sobjects"},
		{Name: "CreateTree", Method: http.MethodPost, Pattern: data + "/composite/tree/*"},
		{Name: "DeleteRecords", Method: http.MethodDelete, Pattern: data + "/composite/sobjects"},
		{Name: "Limits", Method: http.MethodGet, Pattern: data + "/limits"},
		{Name: "Query", Method: http.MethodGet, Pattern: data + "/query"},
		{Name: "QueryMore", Method: http.MethodGet, Pattern: data + "/query/*"},
		{Name: "Search", Method: http.MethodGet, Pattern: data + "/search"},
		{Name: "Search", Method: http.MethodGet, Pattern: data + "/parameterizedSearch"},
		{Name: "UpdateRecords", Method: http.MethodPatch, Pattern: data + "/composite/sobjects", Repeatable: true},
		{Name: "UpsertRecords", Method: http.MethodPatch, Pattern: data + "/composite/sobjects/*/*", Repeatable: true},
	}
	for _, object := range objects {
		path := data + "/sobjects/" + object
		all = append(all, dialect.Routes{
			{Name: "Create" + object, Method: http.MethodPost, Pattern: path},
			{Name: "Delete" + object, Method: http.MethodDelete, Pattern: path + "/*"},
			{Name: "Get" + object, Method: http.MethodGet, Pattern: path + "/*"},
			{Name: "Update" + object, Method: http.MethodPatch, Pattern: path + "/*"},
			{Name: "Upsert" + object, Method: http.MethodPatch, Pattern: path + "/*/*"},
		}...)
	}
	return dialect.Sorted(all)
}

// anyRecord are the paths of one record of any object, by its ID and by an external ID.
var anyRecord = dialect.Routes{
	{Method: http.MethodPatch, Pattern: data + "/sobjects/*/*", Repeatable: true},
	{Method: http.MethodPatch, Pattern: data + "/sobjects/*/*/*", Repeatable: true},
}

// Operations are what manifests can name.
func (Salesforce) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path. An update sets fields, and an upsert finds its record by an external ID: repeating them changes nothing more. A repeated POST
// makes another record.
func (s Salesforce) Classify(method, path string, _ []byte) dialect.Class {
	path = s.Canonical(path)
	class := routes.Classify(method, path)
	class.Idempotent = class.Idempotent || anyRecord.Find(method, path).Repeatable
	return class
}

// Canonical is without the API's version and without a slash at the end.
func (Salesforce) Canonical(path string) string {
	if strings.HasPrefix(path, "/services/data/") {
		return dialect.OneVersion(path, 3)
	}
	return dialect.TrimSlash(path)
}
