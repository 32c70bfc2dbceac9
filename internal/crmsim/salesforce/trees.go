// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// findWords looks for the words of FIND {...} in any field, by the index.
func (s *Salesforce) findWords(c *crm.Call) crm.Reply {
	_, rest, opened := strings.Cut(c.Query("q"), "{")
	words, _, closed := strings.Cut(rest, "}")
	if !opened || !closed || len(words) < 2 {
		return failure(http.StatusBadRequest, "MALFORMED_SEARCH", "want FIND {words}")
	}
	results := []records.Fields{}
	for _, kind := range kinds {
		for _, r := range s.store.Search(c.Now, kind, func(r *records.Record) bool { return r.Contains(words) }) {
			results = append(results, shown(c.Vars["version"], r))
		}
	}
	return crm.JSON(http.StatusOK, map[string]any{"searchRecords": records.Cut(results, 0, minQueryBatch)})
}

// kinds are the objects that a search or a deletion by id looks at.
var kinds = []string{"Account", "Case", "Contact", "Lead", "Opportunity", "Task"}

// tree makes up to 200 records of one type, all or none. Records inside records are not played.
func (s *Salesforce) tree(c *crm.Call) crm.Reply {
	var body struct {
		Records []records.Fields `json:"records"`
	}
	if !c.Decode(&body) || len(body.Records) == 0 || len(body.Records) > maxCollection {
		return malformed(`{"records": [{"attributes": {"type": "...", "referenceId": "..."}, ...}, ...]}`)
	}
	type result struct {
		Reference string      `json:"referenceId"`
		ID        string      `json:"id,omitempty"`
		Errors    []itemError `json:"errors,omitempty"`
	}
	var bad, good []result
	for _, fields := range body.Records {
		if field := missing[c.Vars["type"]]; field != "" && records.Text(fields, field) == "" {
			reference := records.Text(fields, "attributes.referenceId")
			bad = append(bad, result{Reference: reference, Errors: rejected("REQUIRED_FIELD_MISSING", "Required fields are missing: ["+field+"]", field).Errors})
		}
	}
	if bad != nil {
		return crm.JSON(http.StatusBadRequest, map[string]any{"hasErrors": true, "results": bad})
	}
	for _, fields := range body.Records {
		made := s.insert(c.Now, c.Vars["type"], fields)
		good = append(good, result{Reference: records.Text(fields, "attributes.referenceId"), ID: made.ID, Errors: made.Errors})
	}
	return crm.JSON(http.StatusCreated, map[string]any{"hasErrors": false, "results": good})
}

// Bounds of a composite graph request.
const (
	maxGraphs = 75
	maxNodes  = 500
)

// graph runs graphs of subrequests, as one call. One that fails does not undo the others of its graph, which is not played.
func (s *Salesforce) graph(c *crm.Call) crm.Reply {
	var body struct {
		Graphs []struct {
			ID       string       `json:"graphId"`
			Requests []subrequest `json:"compositeRequest"`
		} `json:"graphs"`
	}
	if !c.Decode(&body) || len(body.Graphs) == 0 || len(body.Graphs) > maxGraphs {
		return malformed(`{"graphs": [{"graphId": "...", "compositeRequest": [...]}, ...]}`)
	}
	out := []map[string]any{}
	for _, g := range body.Graphs {
		if len(g.Requests) > maxNodes {
			return failure(http.StatusBadRequest, "LIMIT_EXCEEDED", "a graph has at most 500 nodes")
		}
		results, successful := s.sequence(c, g.Requests, inOrder(len(g.Requests)))
		out = append(out, map[string]any{"graphId": g.ID, "graphResponse": map[string]any{"compositeResponse": results}, "isSuccessful": successful})
	}
	return crm.JSON(http.StatusOK, map[string]any{"graphs": out})
}
