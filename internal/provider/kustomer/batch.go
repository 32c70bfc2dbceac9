// SPDX-License-Identifier: Apache-2.0

package kustomer

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// maxItems of a bulk call (developer.kustomer.com/docs/guides/bulk-operations).
	maxItems = 100
	// leastItems: a bulk call and the polls for a job of a minute are eight calls.
	leastItems = 9
	// clientRef is a caller's own name for an item, which comes back with what became of it.
	clientRef = "_clientRef"
)

// Batch merges creations of customers and companies. Conversations and messages are not: they count against limits of their customers, too.
func (Kustomer) Batch(operation string) (dialect.Batch, bool) {
	for _, r := range records {
		if operation == "Create"+r.one && (r.path == "customers" || r.path == "companies") {
			return createRecords{path: "/v1/" + r.path, name: "Create" + r.many, kind: strings.ToLower(r.one)}, true
		}
	}
	return nil, false
}

// createRecords makes records of one kind, by a job.
type createRecords struct{ path, name, kind string }

// Unconfirmed: the guide names the members of an answer about a job, but shows none of its results whole.
func (createRecords) Unconfirmed() {}

// Separate: a job counts those that failed beside those that succeeded.
func (createRecords) Separate() {}

// Size is what a job takes.
func (createRecords) Size() (least, most int) { return leastItems, maxItems }

// Bulk counts as one call.
func (c createRecords) Bulk() dialect.Request {
	return dialect.Request{Operation: c.name, Method: http.MethodPost, Target: c.path + "/bulk"}
}

// List is where the items are.
func (createRecords) List() string { return dialect.CountBody }

// Merge takes the calls whose body is an object of fields.
func (c createRecords) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	var inputs []map[string]json.RawMessage
	var in []int
	for i, m := range members {
		var fields map[string]json.RawMessage
		if (Kustomer{}).Canonical(m.Target) != c.path || json.Unmarshal(m.Body, &fields) != nil || fields == nil || fields[clientRef] != nil {
			continue
		}
		fields[clientRef] = json.RawMessage(strconv.Quote(strconv.Itoa(len(in))))
		inputs, in = append(inputs, fields), append(in, i)
	}
	return c.Bulk().WithJSON(inputs), in
}

// Split reads the job's name.
func (createRecords) Split(_ int, body []byte, _ []dialect.Request) dialect.Split {
	var answer struct {
		Data struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Data.Type != "bulk" {
		return dialect.Split{}
	}
	return dialect.Split{Job: answer.Data.ID}
}

// Polled is one: nothing tells of several jobs.
func (createRecords) Polled() int { return 1 }

// Poll asks for what became of the items.
func (createRecords) Poll(jobs []string) dialect.Request {
	return dialect.Request{Method: http.MethodGet, Target: "/v1/bulk/" + url.PathEscape(jobs[0]) + "/batches"}
}

// ReadJob goes by our names for the items, which those that failed may lack: where all others are known to have succeeded, they have failed. The job has ended when
// as many have succeeded or failed as there are.
func (c createRecords) ReadJob(_ string, body []byte, of []dialect.Request) (items []dialect.Item, pending bool) {
	var answer struct {
		Data []struct {
			Attributes struct {
				Succeeded int `json:"successCount"`
				Failed    int `json:"failureCount"`
				Results   []struct {
					ID      string `json:"id"`
					Ref     string `json:"_clientRef"`
					Success *bool  `json:"success"`
				} `json:"results"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil, true
	}
	items = make([]dialect.Item, len(of))
	succeeded, failed, known := 0, 0, 0
	for _, b := range answer.Data {
		succeeded, failed = succeeded+b.Attributes.Succeeded, failed+b.Attributes.Failed
		for _, r := range b.Attributes.Results {
			if r.ID == "" || r.Success != nil && !*r.Success {
				continue
			}
			if i, err := strconv.Atoi(r.Ref); err == nil && i >= 0 && i < len(of) && items[i].Answer == nil {
				items[i].Answer = c.created(r.ID)
				known++
			}
		}
	}
	if succeeded+failed < len(of) {
		return nil, true
	}
	for i := range items {
		items[i].Failed = items[i].Answer == nil && known == succeeded && known+failed == len(of)
	}
	return items, false
}

// created answers as the creation of one record does, as far as the job tells.
func (c createRecords) created(id string) *dialect.Response {
	body := dialect.JSON(map[string]any{"data": map[string]string{"type": c.kind, "id": id}})
	return &dialect.Response{Status: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
}
