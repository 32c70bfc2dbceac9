// SPDX-License-Identifier: Apache-2.0

// Package planfile brings the mounted dispatch plan into force: it watches the file, reads it strictly, checks every bound, and hands it on. What it refuses it
// keeps for the report.
package planfile

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Parse reads a plan and checks it. A schema this binary does not know, a field it does not know and a value out of bounds are errors, each naming its field. The
// rejected plan that comes with an error carries the sequence as far as it could be read.
func Parse(data []byte) (*contract.Plan, *contract.RejectedPlan) {
	var head struct {
		Schema   int   `json:"schema"`
		Sequence int64 `json:"sequence"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, &contract.RejectedPlan{Reason: "the plan is not JSON: " + err.Error()}
	}
	plan, err := parse(data, head.Schema)
	if err != nil {
		return nil, &contract.RejectedPlan{Sequence: head.Sequence, Reason: err.Error()}
	}
	return plan, nil
}

func parse(data []byte, schema int) (*contract.Plan, error) {
	if schema != contract.PlanSchema {
		return nil, fmt.Errorf("schema: %d is not known, this dispatcher reads %d: bring manager and dispatcher to one version", schema, contract.PlanSchema)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	plan := new(contract.Plan)
	if err := decoder.Decode(plan); err != nil {
		return nil, fmt.Errorf("the plan cannot be read: %w", err)
	}
	return plan, validate(plan)
}
