// SPDX-License-Identifier: Apache-2.0

package hubspot

import (
	"errors"
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// maxInputs is how many records a batch takes.
const maxInputs = 100

// input is one record of a batch.
type input struct {
	ID         string         `json:"id"`
	IDProperty string         `json:"idProperty"`
	Properties records.Fields `json:"properties"`
	TraceID    string         `json:"objectWriteTraceId"`
}

var errMissing = errors.New("Object not found")

func inputsOf(c *crm.Call) (inputs []input, refusal *crm.Reply) {
	var body struct {
		Inputs []input `json:"inputs"`
	}
	switch {
	case !c.Decode(&body) || len(body.Inputs) == 0:
		return nil, new(malformed(`{"inputs": [{...}, ...]}`))
	case len(body.Inputs) > maxInputs:
		return nil, new(failure(http.StatusBadRequest, "VALIDATION_ERROR", "The maximum number of inputs supported in a batch request is 100"))
	}
	return body.Inputs, nil
}

// traced reports whether each input has a trace id of its own.
func traced(inputs []input) bool {
	seen := map[string]bool{}
	for _, in := range inputs {
		if in.TraceID == "" || seen[in.TraceID] {
			return false
		}
		seen[in.TraceID] = true
	}
	return true
}

// write runs a batch. check says, without effect, why an input cannot be written. Where inputs have no trace ids, one that cannot be written hides what becomes of the
// others: here none is written, and the answer is 400.
func (h *HubSpot) write(c *crm.Call, inputs []input, check func(input) error, write func(input) (object, error)) crm.Reply {
	failed := make([]error, len(inputs))
	for i, in := range inputs {
		if failed[i] = check(in); failed[i] == nil && h.store.ItemFails() {
			failed[i] = records.ErrItem
		}
		if failed[i] != nil && !traced(inputs) {
			return rejected(failed[i])
		}
	}
	results, problems := []object{}, []problem{}
	for i, in := range inputs {
		if failed[i] == nil {
			var made object
			if made, failed[i] = write(in); failed[i] == nil {
				made.TraceID = in.TraceID
				results = append(results, made)
			}
		}
		if failed[i] != nil {
			problems = append(problems, problemOf(failed[i], in.TraceID))
		}
	}
	return batchReply(c.Now, c.Operation, results, problems)
}

func problemOf(err error, traceID string) problem {
	category := "VALIDATION_ERROR"
	switch {
	case errors.Is(err, errTaken):
		category = "CONFLICT"
	case errors.Is(err, errMissing):
		category = "OBJECT_NOT_FOUND"
	}
	return problem{Status: "error", Category: category, Message: err.Error(), Context: map[string][]string{"objectWriteTraceId": {traceID}}}
}

// batchReply is 201 for new records and 200 for others; 207 if some are wanting.
func batchReply(now time.Time, operation string, results []object, problems []problem) crm.Reply {
	body := map[string]any{"status": "COMPLETE", "results": results, "startedAt": now.UTC(), "completedAt": now.UTC()}
	status := http.StatusOK
	if operation == "BatchCreateObjects" {
		status = http.StatusCreated
	}
	if len(problems) > 0 {
		status = http.StatusMultiStatus
		body["numErrors"], body["errors"] = len(problems), problems
	}
	return crm.JSON(status, body)
}

func (h *HubSpot) batchCreate(c *crm.Call) crm.Reply {
	inputs, refusal := inputsOf(c)
	if refusal != nil {
		return *refusal
	}
	return h.write(c, inputs, func(in input) error {
		switch {
		case len(in.Properties) == 0:
			return errEmpty
		case c.Vars["type"] == "contacts" && len(h.store.By(c.Now, "contacts", "email", records.Text(in.Properties, "email"))) > 0:
			return errTaken
		}
		return nil
	}, func(in input) (object, error) {
		r, err := h.insert(c.Now, c.Vars["type"], in.Properties)
		if err != nil {
			return object{}, err
		}
		return shown(r), nil
	})
}

func (h *HubSpot) batchUpdate(c *crm.Call) crm.Reply {
	inputs, refusal := inputsOf(c)
	if refusal != nil {
		return *refusal
	}
	find := func(in input) *records.Record { return h.lookUp(c.Now, c.Vars["type"], in.IDProperty, in.ID) }
	return h.write(c, inputs, func(in input) error {
		if find(in) == nil {
			return errMissing
		}
		return nil
	}, func(in input) (object, error) {
		r := find(in)
		h.store.Update(c.Now, r, in.Properties)
		return shown(r), nil
	})
}

// batchUpsert goes by a property that is to be unique.
func (h *HubSpot) batchUpsert(c *crm.Call) crm.Reply {
	inputs, refusal := inputsOf(c)
	if refusal != nil {
		return *refusal
	}
	return h.write(c, inputs, func(in input) error {
		if in.IDProperty == "" || in.ID == "" {
			return errors.New("idProperty and id are required")
		}
		return nil
	}, func(in input) (object, error) {
		if r := h.lookUp(c.Now, c.Vars["type"], in.IDProperty, in.ID); r != nil {
			h.store.Update(c.Now, r, in.Properties)
			known := shown(r)
			known.New = new(false)
			return known, nil
		}
		properties := records.Fields{in.IDProperty: in.ID}
		for name, value := range in.Properties {
			properties[name] = value
		}
		r, err := h.store.Create(c.Now, c.Vars["type"], properties)
		if err != nil {
			return object{}, err
		}
		made := shown(r)
		made.New = new(true)
		return made, nil
	})
}

func (h *HubSpot) batchRead(c *crm.Call) crm.Reply {
	var body struct {
		IDProperty string `json:"idProperty"`
	}
	inputs, refusal := inputsOf(c)
	switch {
	case refusal != nil:
		return *refusal
	case !c.Decode(&body):
		return malformed(`{"idProperty": "...", "inputs": [{...}, ...]}`)
	}
	results, problems := []object{}, []problem{}
	for _, in := range inputs {
		if r := h.lookUp(c.Now, c.Vars["type"], body.IDProperty, in.ID); r != nil {
			results = append(results, shown(r))
		} else {
			problems = append(problems, problem{Status: "error", Category: "OBJECT_NOT_FOUND", Message: errMissing.Error(), Context: map[string][]string{"ids": {in.ID}}})
		}
	}
	return batchReply(c.Now, c.Operation, results, problems)
}

func (h *HubSpot) batchArchive(c *crm.Call) crm.Reply {
	inputs, refusal := inputsOf(c)
	if refusal != nil {
		return *refusal
	}
	for _, in := range inputs {
		if r := h.store.Get(c.Now, c.Vars["type"], in.ID); r != nil {
			h.store.Delete(c.Now, r)
		}
	}
	return crm.Empty(http.StatusNoContent)
}
