// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Bounds of a composite request: its subrequests, and how many of them may be queries or collections.
const (
	maxSubrequests = 25
	maxHeavy       = 5
)

type subrequest struct {
	Method      string          `json:"method"`
	URL         string          `json:"url"`
	ReferenceID string          `json:"referenceId"`
	Body        json.RawMessage `json:"body"`
}

type subresult struct {
	Body        json.RawMessage   `json:"body"`
	HTTPHeaders map[string]string `json:"httpHeaders"`
	Status      int               `json:"httpStatusCode"`
	ReferenceID string            `json:"referenceId"`
}

// composite runs up to 25 subrequests in their order, as one call. Later ones may refer to what earlier ones answered.
func (s *Salesforce) composite(c *crm.Call) crm.Reply {
	var body struct {
		Requests []subrequest `json:"compositeRequest"`
	}
	if !c.Decode(&body) || len(body.Requests) == 0 {
		return malformed(`{"compositeRequest": [{"method": "POST", "url": "...", "referenceId": "...", "body": {...}}, ...]}`)
	}
	if refusal := bounds(len(body.Requests)); refusal != nil {
		return *refusal
	}
	heavy := 0
	for _, r := range body.Requests {
		if strings.Contains(r.URL, "/query") || strings.Contains(r.URL, "/composite/sobjects") {
			heavy++
		}
	}
	if heavy > maxHeavy {
		return failure(http.StatusBadRequest, "LIMIT_EXCEEDED", "at most 5 subrequests may be queries or collections")
	}
	answers := map[string]any{}
	results := make([]subresult, len(body.Requests))
	for i, r := range body.Requests {
		r.URL, r.Body = refer(r.URL, answers), json.RawMessage(refer(string(r.Body), answers))
		answer := s.sub(c, r.Method, r.URL, r.Body)
		results[i] = subresult{Body: rawOf(answer), HTTPHeaders: map[string]string{}, Status: answer.Status, ReferenceID: r.ReferenceID}
		var parsed any
		if json.Unmarshal(answer.Body, &parsed) == nil {
			answers[r.ReferenceID] = parsed
		}
	}
	return crm.JSON(http.StatusOK, map[string]any{"compositeResponse": results})
}

func bounds(requests int) *crm.Reply {
	if requests <= maxSubrequests {
		return nil
	}
	return new(failure(http.StatusBadRequest, "LIMIT_EXCEEDED", "at most 25 subrequests are allowed"))
}

var reference = regexp.MustCompile(`@\{(\w+)((?:\.\w+)+)\}`)

// refer fills in what answers to earlier subrequests say.
func refer(text string, answers map[string]any) string {
	return reference.ReplaceAllStringFunc(text, func(whole string) string {
		parts := reference.FindStringSubmatch(whole)
		fields, _ := answers[parts[1]].(records.Fields)
		return records.Text(fields, strings.TrimPrefix(parts[2], "."))
	})
}

// sub runs a subrequest, whose URL is a path.
func (s *Salesforce) sub(c *crm.Call, method, target string, body []byte) crm.Reply {
	parsed, err := url.Parse(target)
	if err != nil {
		return malformed("a path")
	}
	path := parsed.Path
	if !strings.HasPrefix(path, "/") { // a batch leaves the beginning out
		path = "/services/data/" + path
	}
	part := *c
	part.Endpoint, part.Body = s.Endpoint(method, path), body
	part.Request = c.Request.Clone(c.Request.Context())
	part.Request.Method, part.Request.URL = method, parsed
	if nested := []string{"Composite", batchOperation}; slices.Contains(nested, part.Operation) {
		return failure(http.StatusBadRequest, "INVALID_INPUT", "composite requests cannot be nested")
	}
	return part.Run(&part)
}

func rawOf(answer crm.Reply) json.RawMessage {
	if len(answer.Body) == 0 {
		return json.RawMessage("null")
	}
	return answer.Body
}

// batchRequest is the body of a composite batch.
type batchRequest struct {
	Requests []struct {
		Method string          `json:"method"`
		URL    string          `json:"url"`
		Input  json.RawMessage `json:"richInput"`
	} `json:"batchRequests"`
}

// batch runs up to 25 subrequests that do not know of each other. Each counts as a call.
func (s *Salesforce) batch(c *crm.Call) crm.Reply {
	var body batchRequest
	if !c.Decode(&body) || len(body.Requests) == 0 {
		return malformed(`{"batchRequests": [{"method": "GET", "url": "v66.0/..."}, ...]}`)
	}
	if refusal := bounds(len(body.Requests)); refusal != nil {
		return *refusal
	}
	type result struct {
		Status int             `json:"statusCode"`
		Result json.RawMessage `json:"result"`
	}
	results, hasErrors := make([]result, len(body.Requests)), false
	for i, r := range body.Requests {
		answer := s.sub(c, r.Method, r.URL, r.Input)
		results[i] = result{answer.Status, rawOf(answer)}
		hasErrors = hasErrors || answer.Status >= http.StatusBadRequest
	}
	return crm.JSON(http.StatusOK, map[string]any{"hasErrors": hasErrors, "results": results})
}
