// SPDX-License-Identifier: Apache-2.0

package hubspot

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// updateObjects changes records of one type (developers.hubspot.com/docs/api-reference/crm-contacts-v3/batch/post-crm-v3-objects-contacts-batch-update).
type updateObjects struct{ kind, operation string }

// Separate: with 207 some records are changed and others are not.
func (updateObjects) Separate() {}

// Size is up to a whole batch.
func (updateObjects) Size() (least, most int) { return 2, maxInputs }

// List is where the items are.
func (updateObjects) List() string { return "inputs" }

// Bulk is that of any version.
func (u updateObjects) Bulk() dialect.Request {
	return dialect.Request{Operation: u.operation, Method: http.MethodPost, Target: objects + u.kind + "/batch/update"}
}

// Record is the ID. A call that names its record by a property in the query is about none that is known.
func (updateObjects) Record(target string) string {
	_, id := parts(target)
	return id
}

// parts are the path of a record's type, and the record's ID; empty if it is no number.
func parts(target string) (at, id string) {
	target = strings.TrimSuffix(target, "/")
	end := strings.LastIndexByte(target, '/')
	if end < 0 || strings.Trim(target[end+1:], "0123456789") != "" {
		return target, ""
	}
	return target[:end], target[end+1:]
}

// Merge takes the calls whose body holds properties only, of records at the same path as the first.
func (u updateObjects) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	return batch(u.Bulk(), "/batch/update", members, func(m dialect.Request) (string, map[string]json.RawMessage, bool) {
		at, id := parts(m.Target)
		input, ok := inputOf(m)
		if id == "" || !ok || input["associations"] != nil {
			return at, nil, false
		}
		input["id"] = json.RawMessage(strconv.Quote(id))
		return at, input, true
	})
}

// Fold puts the later properties over the earlier ones.
func (updateObjects) Fold(first, second dialect.Request) (dialect.Request, bool) {
	earlier, ok := propertiesIn(first)
	later, also := propertiesIn(second)
	if !ok || !also || first.Target != second.Target {
		return first, false
	}
	properties, ok := dialect.FoldFields(earlier, later)
	if !ok {
		return first, false
	}
	first.Body = dialect.JSON(map[string]any{"properties": properties})
	return first, true
}

// propertiesIn are those that a call sets; ok is false if it asks for more.
func propertiesIn(m dialect.Request) (properties map[string]json.RawMessage, ok bool) {
	input, ok := inputOf(m)
	if !ok || input["associations"] != nil || json.Unmarshal(input["properties"], &properties) != nil {
		return nil, false
	}
	return properties, properties != nil
}

// Split answers as the update of a record does.
func (updateObjects) Split(_ int, body []byte, of []dialect.Request) dialect.Split {
	return split(body, len(of), http.StatusOK)
}
