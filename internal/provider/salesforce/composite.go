// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// What a Composite request takes (developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html, requests-composite.html).
const (
	maxSubrequests = 25
	// orderedSince is the API version from which on subrequests can be told to run in their order; from 49.0 on they do not unless they are.
	orderedSince = 48
)

// Mixed has writes of single records of any objects go in one Composite request, which counts as one call and answers each.
func (Salesforce) Mixed() (dialect.MixedBatch, bool) { return composite{}, true }

// composite is a Composite request of writes that do not know of each other.
type composite struct{}

// Size is up to a whole request.
func (composite) Size() (least, most int) { return 2, maxSubrequests }

// Bulk is that of any version.
func (composite) Bulk() dialect.Request {
	return dialect.Request{Operation: "Composite", Method: http.MethodPost, Target: data + "/composite"}
}

// List is where the items are.
func (composite) List() string { return "compositeRequest" }

// singleRecord is the target of a call to one record, or for a new one: the API version, the object, the record's ID or an external ID. What is encoded goes by
// itself: it might be read in another way inside a body.
var singleRecord = regexp.MustCompile(`^/services/data/v([0-9.]*)/sobjects/(\w+)((?:/[\w.~@:+-]+){0,2})$`)

// Takes are creations, updates, upserts and deletions of one record.
func (composite) Takes(call dialect.Request) bool {
	target := singleRecord.FindStringSubmatch(call.Target)
	if target == nil {
		return false
	}
	switch call.Method {
	case http.MethodPost:
		return target[3] == ""
	case http.MethodPatch, http.MethodDelete:
		return target[3] != ""
	}
	return false
}

// Record is the object with the ID in its short form, or with the external ID, in which case may make no difference.
func (c composite) Record(call dialect.Request) string {
	if call.Method != http.MethodPatch || !c.Takes(call) {
		return ""
	}
	target := singleRecord.FindStringSubmatch(call.Target)
	object, id := strings.ToLower(target[2]), target[3][1:]
	if strings.Contains(id, "/") {
		return object + "/" + strings.ToLower(id)
	}
	return object + "/" + id[:min(len(id), shortID)]
}

// subrequest is an item of a Composite request.
type subrequest struct {
	Method    string          `json:"method"`
	URL       string          `json:"url"`
	Reference string          `json:"referenceId"`
	Body      json.RawMessage `json:"body,omitempty"`
}

// Merge takes the calls that are the same inside a Composite request, of the API version of the first.
func (c composite) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	bulk := c.Bulk()
	var parts []subrequest
	var in []int
	for i, m := range members {
		if !c.Takes(m) || !ordered(m.Target) || !sameInside(m) {
			continue
		}
		version := singleRecord.FindStringSubmatch(m.Target)[1]
		if target := data + version + "/composite"; len(in) == 0 {
			bulk.Target = target
		} else if target != bulk.Target {
			continue
		}
		parts = append(parts, subrequest{Method: m.Method, URL: m.Target, Reference: reference(len(parts)), Body: m.Body})
		in = append(in, i)
	}
	body, err := json.Marshal(map[string]any{"allOrNone": false, "collateSubrequests": false, "compositeRequest": parts})
	if err != nil { // what was read is written again
		panic(err)
	}
	bulk.Body, bulk.Header = body, http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	return bulk, in
}

// ordered says whether calls of the target's API version keep their order in a Composite request.
func ordered(target string) bool {
	major, _, _ := strings.Cut(singleRecord.FindStringSubmatch(target)[1], ".")
	version, err := strconv.Atoi(major)
	return err == nil && version >= orderedSince
}

// sameInside says whether a call does the same as a subrequest: its body is absent for a deletion and else an object of fields, none of which reads like a reference
// to another subrequest, and it has no header that tells the CRM how to do it.
func sameInside(m dialect.Request) bool {
	for name := range m.Header {
		if strings.HasPrefix(name, "If-") || strings.HasPrefix(name, "Sforce-") {
			return false
		}
	}
	if m.Method == http.MethodDelete {
		return len(m.Body) == 0
	}
	var fields map[string]any
	if json.Unmarshal(m.Body, &fields) != nil || fields == nil {
		return false
	}
	plain, err := json.Marshal(fields) // without the escapes that could hide a reference
	return err == nil && !bytes.Contains(plain, []byte("@{"))
}

// reference names a subrequest by its place.
func reference(place int) string { return "r" + strconv.Itoa(place) }

// subresult is what became of an item.
type subresult struct {
	Status    int             `json:"httpStatusCode"`
	Header    map[string]any  `json:"httpHeaders"`
	Reference string          `json:"referenceId"`
	Body      json.RawMessage `json:"body"`
}

// Split goes by the references.
func (composite) Split(_ int, body []byte, of []dialect.Request) dialect.Split {
	var answer struct {
		Results []subresult `json:"compositeResponse"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return dialect.Split{}
	}
	items := make([]dialect.Item, len(of))
	for i := range items {
		for _, result := range answer.Results {
			if result.Reference == reference(i) {
				items[i] = result.item()
			}
		}
	}
	return dialect.Split{Items: items}
}

// item is the answer to a subrequest, but for one that says nothing of the call itself.
func (r subresult) item() dialect.Item {
	switch r.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return dialect.Item{} // it may have taken effect
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		return dialect.Item{Failed: true}
	}
	if r.Status < http.StatusOK || r.Status > 599 {
		return dialect.Item{}
	}
	var failures []struct {
		Code string `json:"errorCode"`
	}
	if r.Status >= http.StatusBadRequest && json.Unmarshal(r.Body, &failures) == nil {
		for _, f := range failures {
			if f.Code == limitExceeded || f.Code == halted {
				return dialect.Item{Failed: true}
			}
		}
	}
	answer := &dialect.Response{Status: r.Status, Header: http.Header{}}
	for name, value := range r.Header {
		if text, is := value.(string); is {
			answer.Header.Set(name, text)
		}
	}
	if len(r.Body) > 0 && string(r.Body) != "null" {
		answer.Body = r.Body
		answer.Header.Set("Content-Type", "application/json;charset=UTF-8")
	}
	return dialect.Item{Answer: answer}
}

// halted is the code of a subrequest that was not run because of another one.
const halted = "PROCESSING_HALTED"
