// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Bounds of a collection: its records, and how often the type may change from one to the next.
const (
	maxCollection = 200
	maxChunks     = 10
)

// collection is the body of a write of many.
type collection struct {
	AllOrNone bool             `json:"allOrNone"`
	Records   []records.Fields `json:"records"`
}

// collectionOf reads the body; refusal is what is wrong with it.
func collectionOf(c *crm.Call) (body collection, refusal *crm.Reply) {
	if !c.Decode(&body) || len(body.Records) == 0 {
		return body, new(malformed(`{"allOrNone": false, "records": [{"attributes": {"type": "..."}, ...}, ...]}`))
	}
	chunks, last := 0, ""
	for _, fields := range body.Records {
		if kind := kindOf(fields); kind != last {
			chunks, last = chunks+1, kind
		}
	}
	switch {
	case len(body.Records) > maxCollection:
		return body, new(failure(http.StatusBadRequest, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records in this operation"))
	case chunks > maxChunks:
		return body, new(failure(http.StatusBadRequest, "INVALID_INPUT", "cannot process more than 10 chunks of types"))
	}
	return body, nil
}

func kindOf(fields records.Fields) string { return records.Text(fields, "attributes.type") }

// each writes the records in their order, and answers 200 with what became of each.
func (s *Salesforce) each(body collection, check, write func(records.Fields) saved) crm.Reply {
	results := make([]saved, len(body.Records))
	failed := false
	for i, fields := range body.Records {
		results[i] = check(fields)
		if results[i].Success && s.store.ItemFails() {
			results[i] = rejected("UNABLE_TO_LOCK_ROW", records.ErrItem.Error())
		}
		failed = failed || !results[i].Success
	}
	for i, fields := range body.Records {
		switch {
		case !results[i].Success:
		case failed && body.AllOrNone:
			results[i] = rejected("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid and the request was using AllOrNone header")
		default:
			results[i] = write(fields)
		}
	}
	return crm.JSON(http.StatusOK, results)
}

func (s *Salesforce) createMany(c *crm.Call) crm.Reply {
	body, refusal := collectionOf(c)
	if refusal != nil {
		return *refusal
	}
	return s.each(body, func(fields records.Fields) saved {
		kind := kindOf(fields)
		if field := missing[kind]; kind == "" || field != "" && records.Text(fields, field) == "" {
			return rejected("REQUIRED_FIELD_MISSING", "Required fields are missing: ["+field+"]", field)
		}
		return saved{Success: true}
	}, func(fields records.Fields) saved { return s.insert(c.Now, kindOf(fields), fields) })
}

func (s *Salesforce) updateMany(c *crm.Call) crm.Reply {
	body, refusal := collectionOf(c)
	if refusal != nil {
		return *refusal
	}
	find := func(fields records.Fields) *records.Record { return s.store.Get(c.Now, kindOf(fields), idIn(fields)) }
	return s.each(body, func(fields records.Fields) saved {
		if find(fields) == nil {
			return rejected("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
		}
		return saved{Success: true}
	}, func(fields records.Fields) saved {
		r := find(fields)
		s.store.Update(c.Now, r, fields)
		return saved{ID: r.ID, Success: true, Errors: []itemError{}}
	})
}

// idIn is the id of a record, whose name callers spell in two ways.
func idIn(fields records.Fields) string {
	if id := records.Text(fields, "id"); id != "" {
		return id
	}
	return records.Text(fields, "Id")
}

func (s *Salesforce) upsertMany(c *crm.Call) crm.Reply {
	body, refusal := collectionOf(c)
	if refusal != nil {
		return *refusal
	}
	kind, field := c.Vars["type"], c.Vars["field"]
	return s.each(body, func(fields records.Fields) saved {
		switch text := records.Text(fields, field); {
		case text == "":
			return rejected("MISSING_ARGUMENT", field+" not specified", field)
		case len(s.store.By(c.Now, kind, field, text)) > 1:
			return rejected("DUPLICATE_EXTERNAL_ID", "More than one record has this external id")
		}
		return saved{Success: true}
	}, func(fields records.Fields) saved {
		result, _ := s.put(c.Now, kind, field, records.Text(fields, field), fields)
		return result
	})
}

func (s *Salesforce) removeMany(c *crm.Call) crm.Reply {
	results := []saved{}
	for id := range strings.SplitSeq(c.Query("ids"), ",") {
		found := []*records.Record{}
		for _, kind := range []string{"Account", "Contact", "Lead", "Case", "Task"} {
			if r := s.store.Get(c.Now, kind, id); r != nil {
				found = append(found, r)
			}
		}
		if len(found) == 0 {
			results = append(results, rejected("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
			continue
		}
		s.store.Delete(c.Now, found[0])
		results = append(results, saved{ID: id, Success: true, Errors: []itemError{}})
	}
	return crm.JSON(http.StatusOK, results)
}
