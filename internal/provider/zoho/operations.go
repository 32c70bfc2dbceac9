// SPDX-License-Identifier: Apache-2.0

package zoho

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// root is what every path begins with, in canonical form.
const root = "/crm/v/"

// modules whose calls have names, by the names of their records. All end in s.
var modules = []string{"Account", "Call", "Case", "Contact", "Deal", "Lead", "Task"}

var routes = newRoutes()

func newRoutes() dialect.Routes {
	all := dialect.Routes{
		{Name: "Composite", Method: http.MethodPost, Pattern: root + "__composite_requests"},
		{Name: "Query", Method: http.MethodPost, Pattern: root + "coql", Repeatable: true},
	}
	for _, one := range modules {
		many, path := one+"s", root+one+"s"
		all = append(all, dialect.Routes{
			{Name: "Create" + many, Method: http.MethodPost, Pattern: path},
			{Name: "Get" + one, Method: http.MethodGet, Pattern: path + "/*"},
			{Name: "List" + many, Method: http.MethodGet, Pattern: path},
			{Name: "Search" + many, Method: http.MethodGet, Pattern: path + "/search"},
			{Name: "Update" + one, Method: http.MethodPut, Pattern: path + "/*"},
			{Name: "Update" + many, Method: http.MethodPut, Pattern: path},
			{Name: "Upsert" + many, Method: http.MethodPost, Pattern: path + "/upsert"},
		}...)
	}
	return dialect.Sorted(all)
}

// Operations are what manifests can name.
func (ZohoCRM) Operations() []dialect.Operation { return routes.Operations() }

// Classify goes by method and path. An upsert can be repeated if it says by which fields it finds its records: without, some modules know no duplicates.
func (z ZohoCRM) Classify(method, path string, body []byte) dialect.Class {
	path = z.Canonical(path)
	class := routes.Classify(method, path)
	if method == http.MethodPost && strings.HasPrefix(path, root) && strings.HasSuffix(path, "/upsert") {
		var upsert struct {
			By []string `json:"duplicate_check_fields"`
		}
		class.Idempotent = json.Unmarshal(body, &upsert) == nil && len(upsert.By) > 0
	}
	return class
}

// Canonical is without the API's version and without a slash at the end.
func (ZohoCRM) Canonical(path string) string {
	if strings.HasPrefix(path, "/crm/") {
		return dialect.OneVersion(path, 2)
	}
	return dialect.TrimSlash(path)
}
