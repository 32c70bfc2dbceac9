// SPDX-License-Identifier: Apache-2.0

package generic

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Operations are those that have bulk calls.
func (d Declared) Operations() []dialect.Operation {
	var all []dialect.Operation
	for _, b := range d.Rules.BulkCalls {
		all = append(all, dialect.Operation{Name: b.Operation, Method: http.MethodPost, Path: b.Path})
	}
	slices.SortFunc(all, func(a, b dialect.Operation) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// operation is the name of a call; empty if it has none.
func (d Declared) operation(method, path string) string {
	i := slices.IndexFunc(d.Rules.BulkCalls, func(b contract.BulkCall) bool { return b.Path == path })
	if i < 0 || method != http.MethodPost {
		return ""
	}
	return d.Rules.BulkCalls[i].Operation
}

// Batch goes by what is declared.
func (d Declared) Batch(operation string) (dialect.Batch, bool) {
	i := slices.IndexFunc(d.Rules.BulkCalls, func(b contract.BulkCall) bool { return b.Operation == operation })
	if i < 0 {
		return nil, false
	}
	b := bulkCall{d.Rules.BulkCalls[i], ""}
	b.name = d.operation(http.MethodPost, b.BulkPath)
	if b.Outcome == nil { // all of it, or nothing
		return b, true
	}
	return separateBulkCall{b}, true
}

// bulkCall makes records together, as is declared.
type bulkCall struct {
	contract.BulkCall
	// name of the bulk call itself, if it has one.
	name string
}

// separateBulkCall is one of which each result says what became of its item.
type separateBulkCall struct{ bulkCall }

// Separate: effect Each is declared.
func (separateBulkCall) Separate() {}

// Size is up to what is declared.
func (b bulkCall) Size() (least, most int) { return 2, int(b.MaxItems) }

// Bulk is as it is declared.
func (b bulkCall) Bulk() dialect.Request {
	return dialect.Request{Operation: b.name, Method: http.MethodPost, Target: b.BulkPath}
}

// List is where the items are. One that is not at the top of the body is not counted, so that a bulk call is priced as the largest.
func (b bulkCall) List() string {
	if len(b.Items) == 0 {
		return dialect.CountBody
	}
	return strings.Join(b.Items, "/")
}

// Merge takes the calls whose body holds a record and nothing else. There is no place for a mark.
func (b bulkCall) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	records := []json.RawMessage{}
	var in []int
	for i, m := range members {
		if record, ok := b.recordOf(m); ok {
			records, in = append(records, record), append(in, i)
		}
	}
	var document any = records
	for _, name := range slices.Backward(b.Items) {
		document = map[string]any{name: document}
	}
	return b.Bulk().WithJSON(document), in
}

// recordOf is the record that a call makes; ok is false if it asks for more than that.
func (b bulkCall) recordOf(m dialect.Request) (record json.RawMessage, ok bool) {
	var body map[string]json.RawMessage
	if m.Method != http.MethodPost || m.Target != b.Path || json.Unmarshal(m.Body, &body) != nil || body == nil {
		return nil, false
	}
	if b.Record == "" {
		return m.Body, true
	}
	record = body[b.Record]
	return record, len(body) == 1 && bytes.HasPrefix(record, []byte("{"))
}

// Split goes by the order of the results. An answer with more or fewer of them says nothing.
func (b bulkCall) Split(_ int, body []byte, of []dialect.Request) dialect.Split {
	var results []json.RawMessage
	if json.Unmarshal(member(body, b.Results), &results) != nil || len(results) != len(of) {
		return dialect.Split{}
	}
	items := make([]dialect.Item, len(of))
	for i, result := range results {
		items[i] = b.item(result)
	}
	return dialect.Split{Items: items}
}

// item reads one result.
func (b bulkCall) item(result json.RawMessage) dialect.Item {
	if o := b.Outcome; o != nil {
		switch tells := member(result, o.Member); {
		case isOneOf(tells, o.Failed):
			return dialect.Item{Failed: true}
		case !isOneOf(tells, o.Succeeded):
			return dialect.Item{}
		}
	}
	id, is := text(member(result, b.ID))
	answer := member(result, b.Answer)
	if !is || id == "" || answer == nil {
		return dialect.Item{}
	}
	if b.Record != "" {
		answer = dialect.JSON(map[string]json.RawMessage{b.Record: answer})
	}
	return dialect.Item{Answer: &dialect.Response{Status: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}}, Body: answer}}
}

// member is a member of a document; nil if there is none.
func member(document json.RawMessage, path []string) json.RawMessage {
	for _, name := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(document, &object) != nil {
			return nil
		}
		document = object[name]
	}
	return document
}

func isOneOf(document json.RawMessage, values []string) bool {
	is, ok := text(document)
	return ok && slices.Contains(values, is)
}

// text is a document that is a string, a number, true or false.
func text(document json.RawMessage) (value string, is bool) {
	var v any
	if json.Unmarshal(document, &v) != nil {
		return "", false
	}
	return scalar(v)
}
