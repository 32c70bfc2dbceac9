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

// Batch merges creations and updates: records of one type go in a collection, of which each is saved or not by itself.
func (Salesforce) Batch(operation string) (dialect.Batch, bool) {
	if object, creates := strings.CutPrefix(operation, "Create"); creates && slices.Contains(objects, object) {
		return createRecords{object}, true
	}
	if object, updates := strings.CutPrefix(operation, "Update"); updates && slices.Contains(objects, object) {
		return updateRecords{object}, true
	}
	return nil, false
}

// createRecords makes records of one type.
type createRecords struct{ object string }

// Separate: allOrNone is false.
func (createRecords) Separate() {}

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
	return collect(c.Bulk(), c.object, members, func(m dialect.Request) (version string, fields map[string]json.RawMessage, ok bool) {
		version, ok = strings.CutSuffix(m.Target, "/sobjects/"+c.object)
		return version, fields, ok && json.Unmarshal(m.Body, &fields) == nil
	})
}

// collect completes the write of a collection. of reads a call: its API version's path, and its fields. Those of the version of the first go together.
func collect(
	bulk dialect.Request, object string, members []dialect.Request, of func(dialect.Request) (version string, fields map[string]json.RawMessage, ok bool),
) (dialect.Request, []int) {
	attributes := dialect.JSON(map[string]string{"type": object})
	var records []map[string]json.RawMessage
	var in []int
	for i, m := range members {
		version, fields, ok := of(m)
		if !ok || fields == nil || fields["attributes"] != nil || strings.Contains(m.Target, "?") {
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
	return bulk.WithJSON(map[string]any{"allOrNone": false, "records": records}), in
}

// Split gives what the answer says of a record that was made to the single call.
func (createRecords) Split(_ int, body []byte, of []dialect.Request) dialect.Split {
	return split(body, len(of), func(record json.RawMessage) *dialect.Response {
		return &dialect.Response{Status: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, Body: record}
	})
}

// split goes by the order of the records.
func split(body []byte, n int, answer func(record json.RawMessage) *dialect.Response) dialect.Split {
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
			items[i].Answer = answer(one)
		}
	}
	return dialect.Split{Items: items}
}
