// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// maxRecords of a collection
// (developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_create.htm).
const maxRecords = 200

// Batch merges creations: records of one type are made by a collection, of which each is saved or not by itself.
func (Salesforce) Batch(operation string) (dialect.Batch, bool) {
	object, creates := strings.CutPrefix(operation, "Create")
	if creates && slices.Contains(objects, object) {
		return createRecords{object}, true
	}
	return nil, false
}

// createRecords makes records of one type.
type createRecords struct{ object string }

// Size is up to a whole collection.
func (createRecords) Size() (least, most int) { return 2, maxRecords }

// Bulk is that of any version.
func (createRecords) Bulk() dialect.Request {
	return dialect.Request{Operation: "CreateRecords", Method: http.MethodPost, Target: data + "/composite/sobjects"}
}

// List is where the items are.
func (createRecords) List() string { return "records" }

// Merge takes the calls whose body is an object of fields, of the API version of the first.
func (c createRecords) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	bulk := c.Bulk()
	attributes, err := json.Marshal(map[string]string{"type": c.object})
	if err != nil { // strings always encode
		panic(err)
	}
	var records []map[string]json.RawMessage
	var in []int
	for i, m := range members {
		var fields map[string]json.RawMessage
		version, path := strings.CutSuffix(m.Target, "/sobjects/"+c.object)
		if !path || json.Unmarshal(m.Body, &fields) != nil || fields == nil || fields["attributes"] != nil || strings.Contains(version, "?") {
			continue
		}
		if target := version + "/composite/sobjects"; len(in) == 0 {
			bulk.Target = target
		} else if target != bulk.Target {
			continue
		}
		fields["attributes"] = attributes
		records, in = append(records, fields), append(in, i)
	}
	if bulk.Body, err = json.Marshal(map[string]any{"allOrNone": false, "records": records}); err != nil { // what was read is written again
		panic(err)
	}
	bulk.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	return bulk, in
}

// Split goes by the order of the records. What the answer says of one that was saved is what the single call is answered.
func (createRecords) Split(_ int, body []byte, n int) dialect.Split {
	var saved []json.RawMessage
	if json.Unmarshal(body, &saved) != nil || len(saved) != n {
		return dialect.Split{}
	}
	items := make([]dialect.Item, n)
	for i, one := range saved {
		var record struct {
			ID      string `json:"id"`
			Success *bool  `json:"success"`
		}
		switch {
		case json.Unmarshal(one, &record) != nil || record.Success == nil:
		case !*record.Success:
			items[i].Failed = true
		case record.ID != "":
			items[i].Answer = &dialect.Response{Status: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, Body: one}
		}
	}
	return dialect.Split{Items: items}
}
