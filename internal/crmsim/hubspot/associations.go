// SPDX-License-Identifier: Apache-2.0

package hubspot

import (
	"net/http"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
)

// Bounds of batches of associations.
const (
	maxAssociated = 2000
	maxRead       = 1000
)

type end struct {
	ID string `json:"id"`
}

// associate links records; links that there are stay as they are.
func (h *HubSpot) associate(c *crm.Call) crm.Reply {
	var body struct {
		Inputs []struct{ From, To end } `json:"inputs"`
	}
	if !c.Decode(&body) || len(body.Inputs) == 0 || len(body.Inputs) > maxAssociated {
		return malformed(`{"inputs": [{"from": {"id": "..."}, "to": {"id": "..."}}, ...]}, at most 2000`)
	}
	results := []map[string]string{}
	for _, in := range body.Inputs {
		from := [3]string{c.Vars["type"], c.Vars["to"], in.From.ID}
		if !slices.Contains(h.linked[from], in.To.ID) {
			h.linked[from] = append(h.linked[from], in.To.ID)
		}
		results = append(results, map[string]string{"fromObjectId": in.From.ID, "toObjectId": in.To.ID})
	}
	return crm.JSON(http.StatusCreated, map[string]any{"status": "COMPLETE", "results": results, "startedAt": c.Now.UTC(), "completedAt": c.Now.UTC()})
}

func (h *HubSpot) associations(c *crm.Call) crm.Reply {
	var body struct {
		Inputs []end `json:"inputs"`
	}
	if !c.Decode(&body) || len(body.Inputs) == 0 || len(body.Inputs) > maxRead {
		return malformed(`{"inputs": [{"id": "..."}, ...]}, at most 1000`)
	}
	results := []map[string]any{}
	for _, in := range body.Inputs {
		to := []map[string]string{}
		for _, id := range h.linked[[3]string{c.Vars["type"], c.Vars["to"], in.ID}] {
			to = append(to, map[string]string{"toObjectId": id})
		}
		results = append(results, map[string]any{"from": in, "to": to})
	}
	return crm.JSON(http.StatusOK, map[string]any{"status": "COMPLETE", "results": results, "startedAt": c.Now.UTC(), "completedAt": c.Now.UTC()})
}
