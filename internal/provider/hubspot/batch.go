// SPDX-License-Identifier: Apache-2.0

package hubspot

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// maxInputs of a batch (developers.hubspot.com/docs/api-reference/crm-contacts-v3/batch/post-crm-v3-objects-contacts-batch-create).
const maxInputs = 100

// Batch merges creations and updates: records of one type go in one call, of which each is written or not by itself.
func (HubSpot) Batch(operation string) (dialect.Batch, bool) {
	for kind, name := range named {
		switch operation {
		case "Create" + name.one:
			return createObjects{kind: kind, operation: "Create" + name.many}, true
		case "Update" + name.one:
			return updateObjects{kind: kind, operation: "Update" + name.many}, true
		}
	}
	return nil, false
}

// createObjects makes records of one type.
type createObjects struct{ kind, operation string }

// Separate: with 207 some records are there and others are not.
func (createObjects) Separate() {}

// Size is up to a whole batch.
func (createObjects) Size() (least, most int) { return 2, maxInputs }

// Bulk is that of any version.
func (c createObjects) Bulk() dialect.Request {
	return dialect.Request{Operation: c.operation, Method: http.MethodPost, Target: objects + c.kind + "/batch/create"}
}

// List is where the items are.
func (createObjects) List() string { return "inputs" }

// Merge takes the calls whose body holds properties and associations only, at the same path as the first. Each input has a trace ID, by which HubSpot says what
// became of it.
func (c createObjects) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	return batch(c.Bulk(), "/batch/create", members, func(m dialect.Request) (at string, input map[string]json.RawMessage, ok bool) {
		input, ok = inputOf(m)
		return strings.TrimSuffix(m.Target, "/"), input, ok
	})
}

// batch completes the write of a batch at a path. of reads a call: the path of its records' type, and what it asks for. Those at the path of the first go together.
func batch(
	bulk dialect.Request, path string, members []dialect.Request, of func(dialect.Request) (at string, input map[string]json.RawMessage, ok bool),
) (dialect.Request, []int) {
	var inputs []map[string]json.RawMessage
	var in []int
	for i, m := range members {
		at, input, ok := of(m)
		if !ok || len(in) > 0 && at+path != bulk.Target {
			continue
		}
		bulk.Target = at + path
		input["objectWriteTraceId"] = json.RawMessage(strconv.Quote(strconv.Itoa(len(in))))
		inputs, in = append(inputs, input), append(in, i)
	}
	return bulk.WithJSON(map[string]any{"inputs": inputs}), in
}

// inputOf is what a call asks for, as an input of a batch; ok is false if it asks for more.
func inputOf(m dialect.Request) (input map[string]json.RawMessage, ok bool) {
	if strings.Contains(m.Target, "?") || json.Unmarshal(m.Body, &input) != nil || input["properties"] == nil {
		return nil, false
	}
	for name := range input {
		if name != "properties" && name != "associations" {
			return nil, false
		}
	}
	return input, true
}

// Split answers as the creation of a record does.
func (createObjects) Split(_ int, body []byte, of []dialect.Request) dialect.Split {
	return split(body, len(of), http.StatusCreated)
}

// split goes by the trace IDs. A record that was written is what the single call is answered.
func split(body []byte, n, status int) dialect.Split {
	var answer struct {
		Results []map[string]json.RawMessage `json:"results"`
		Errors  []struct {
			Context struct {
				Traces []string `json:"objectWriteTraceId"`
			} `json:"context"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return dialect.Split{}
	}
	items := make([]dialect.Item, n)
	for _, record := range answer.Results {
		var trace string
		if json.Unmarshal(record["objectWriteTraceId"], &trace) != nil {
			continue
		}
		delete(record, "objectWriteTraceId")
		one, err := json.Marshal(record)
		if i, known := item(trace, n); known && err == nil && record["id"] != nil {
			items[i].Answer = &dialect.Response{Status: status, Header: http.Header{"Content-Type": {"application/json;charset=utf-8"}}, Body: one}
		}
	}
	for _, e := range answer.Errors {
		for _, trace := range e.Context.Traces {
			if i, known := item(trace, n); known {
				items[i].Failed = items[i].Answer == nil
			}
		}
	}
	return dialect.Split{Items: items}
}

// item is the one of n that a trace ID names.
func item(trace string, n int) (int, bool) {
	i, err := strconv.Atoi(trace)
	return i, err == nil && i >= 0 && i < n
}
