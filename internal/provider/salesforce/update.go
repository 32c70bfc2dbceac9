// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// updateRecords changes records of one type
// (developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm).
type updateRecords struct{ object string }

// Separate: allOrNone is false.
func (updateRecords) Separate() {}

// Size is up to a whole collection.
func (updateRecords) Size() (least, most int) { return 2, maxRecords }

// List is where the items are.
func (updateRecords) List() string { return "records" }

// Bulk is that of any version.
func (updateRecords) Bulk() dialect.Request {
	return dialect.Request{Operation: "UpdateRecords", Method: http.MethodPatch, Target: data + "/composite/sobjects"}
}

// shortID is how long an ID is without the three characters behind it that check its case.
const shortID = 15

// Record is the ID in its short form.
func (u updateRecords) Record(target string) string {
	_, id := u.parts(target)
	return id[:min(len(id), shortID)]
}

// parts are the path of the API version, and the ID; empty if it is none.
func (u updateRecords) parts(target string) (version, id string) {
	version, id, _ = strings.Cut(target, "/sobjects/"+u.object+"/")
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return version, ""
		}
	}
	return version, id
}

// Merge takes the calls whose body is an object of fields without an ID, of the API version of the first.
func (u updateRecords) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	return collect(u.Bulk(), u.object, members, func(m dialect.Request) (string, map[string]json.RawMessage, bool) {
		var fields map[string]json.RawMessage
		version, id := u.parts(m.Target)
		if id == "" || json.Unmarshal(m.Body, &fields) != nil || fields == nil {
			return version, nil, false
		}
		for name := range fields {
			if strings.EqualFold(name, "id") {
				return version, nil, false
			}
		}
		fields["id"] = dialect.JSON(id)
		return version, fields, true
	})
}

// Fold puts the later fields over the earlier ones. Names of fields may differ in case: then it cannot be told which is which.
func (u updateRecords) Fold(first, second dialect.Request) (dialect.Request, bool) {
	var earlier, later map[string]json.RawMessage
	if first.Target != second.Target || json.Unmarshal(first.Body, &earlier) != nil || json.Unmarshal(second.Body, &later) != nil || earlier == nil || later == nil {
		return first, false
	}
	fields, ok := dialect.FoldFields(earlier, later)
	seen := map[string]bool{}
	for name := range fields {
		ok = ok && !seen[strings.ToLower(name)]
		seen[strings.ToLower(name)] = true
	}
	if !ok {
		return first, false
	}
	first.Body = dialect.JSON(fields)
	return first, true
}

// Split answers as an update does: with nothing.
func (updateRecords) Split(_ int, body []byte, of []dialect.Request) dialect.Split {
	return split(body, len(of), func(json.RawMessage) *dialect.Response { return &dialect.Response{Status: http.StatusNoContent} })
}
