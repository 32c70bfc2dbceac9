// SPDX-License-Identifier: Apache-2.0

package zoho

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// maxRecords is how many records a credit makes (zoho.com/crm/developer/docs/api/v8/api-limits). A call takes 100, for ten credits: more than ten together would save
// nothing more, and would not be what the single call is priced as.
const maxRecords = 10

// Batch merges creations of one module. The call for one record takes many as it is.
func (ZohoCRM) Batch(operation string) (dialect.Batch, bool) {
	many, creates := strings.CutPrefix(operation, "Create")
	if one, plural := strings.CutSuffix(many, "s"); creates && plural && slices.Contains(modules, one) {
		return createRecords{operation, many}, true
	}
	return nil, false
}

// createRecords makes records of one module.
type createRecords struct{ operation, module string }

// Separate: with 207 some records are there and others are not.
func (createRecords) Separate() {}

// Size is up to what a credit makes.
func (createRecords) Size() (least, most int) { return 2, maxRecords }

// Bulk is that of any version.
func (c createRecords) Bulk() dialect.Request {
	return dialect.Request{Operation: c.operation, Method: http.MethodPost, Target: root + c.module}
}

// List is where the items are.
func (createRecords) List() string { return "data" }

// Merge takes the calls for one record and no settings, at the same path as the first.
func (c createRecords) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	bulk := c.Bulk()
	var records []json.RawMessage
	var in []int
	for i, m := range members {
		record, ok := recordOf(m)
		if !ok || len(in) > 0 && m.Target != bulk.Target {
			continue
		}
		bulk.Target = m.Target
		records, in = append(records, record), append(in, i)
	}
	return bulk.WithJSON(map[string]any{"data": records}), in
}

// recordOf is the record that a call makes; ok is false if it asks for more than that.
func recordOf(m dialect.Request) (record json.RawMessage, ok bool) {
	var body map[string]json.RawMessage
	var data []json.RawMessage
	if strings.Contains(m.Target, "?") || json.Unmarshal(m.Body, &body) != nil || len(body) != 1 || json.Unmarshal(body["data"], &data) != nil || len(data) != 1 {
		return nil, false
	}
	return data[0], true
}

// Split goes by the order of the records, which all have a result. That of one is what the single call is answered.
func (createRecords) Split(_ int, body []byte, of []dialect.Request) dialect.Split {
	var answer struct {
		Data []json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Data) != len(of) {
		return dialect.Split{}
	}
	items := make([]dialect.Item, len(of))
	for i, one := range answer.Data {
		var result struct {
			Status  string `json:"status"`
			Details struct {
				ID string `json:"id"`
			} `json:"details"`
		}
		if json.Unmarshal(one, &result) != nil {
			continue
		}
		switch {
		case result.Status == "error":
			items[i].Failed = true
		case result.Status == "success" && result.Details.ID != "":
			single := dialect.JSON(map[string]any{"data": []json.RawMessage{one}})
			items[i].Answer = &dialect.Response{Status: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, Body: single}
		}
	}
	return dialect.Split{Items: items}
}
