// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Bounds of a composite request: its subrequests, and how many of them may be queries or collections.
const (
	maxSubrequests = 25
	maxHeavy       = 5
)

// compositeRequest is the body of a composite request.
type compositeRequest struct {
	AllOrNone bool `json:"allOrNone"`
	// Collate lets subrequests run in another order.
	Collate  *bool        `json:"collateSubrequests"`
	Requests []subrequest `json:"compositeRequest"`
}

type subrequest struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	ReferenceID string            `json:"referenceId"`
	HTTPHeaders map[string]string `json:"httpHeaders"`
	Body        json.RawMessage   `json:"body"`
}

type subresult struct {
	Body        json.RawMessage   `json:"body"`
	HTTPHeaders map[string]string `json:"httpHeaders"`
	Status      int               `json:"httpStatusCode"`
	ReferenceID string            `json:"referenceId"`
}

// composite runs up to 25 subrequests as one call. Later ones may refer to what earlier ones answered.
func (s *Salesforce) composite(c *crm.Call) crm.Reply {
	var body compositeRequest
	if !c.Decode(&body) || len(body.Requests) == 0 {
		return malformed(`{"compositeRequest": [{"method": "POST", "url": "...", "referenceId": "...", "body": {...}}, ...]}`)
	}
	if refusal := cmp.Or(bounds(len(body.Requests)), wellFormed(body.Requests)); refusal != nil {
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
	var results []subresult
	run := func() (successful bool) {
		results, successful = s.sequence(c, body.Requests, body.order(c.Vars["version"]))
		return successful
	}
	if !body.AllOrNone {
		run()
	} else if !s.store.Attempt(run) {
		for i, r := range results {
			if r.Status < http.StatusBadRequest {
				results[i] = halt(r.ReferenceID, "The transaction was rolled back since another operation in the same transaction failed.")
			}
		}
	}
	return crm.JSON(http.StatusOK, map[string]any{"compositeResponse": results})
}

var referenceID = regexp.MustCompile(`^\w+$`)

// wellFormed says what is wrong with subrequests before any of them is run.
func wellFormed(requests []subrequest) *crm.Reply {
	seen := map[string]bool{}
	for _, r := range requests {
		if !referenceID.MatchString(r.ReferenceID) || seen[r.ReferenceID] || r.URL == "" {
			return new(failure(http.StatusBadRequest, "INVALID_INPUT", "each subrequest needs a url, and a referenceId of its own of letters, digits and underscores"))
		}
		seen[r.ReferenceID] = true
		for name := range r.HTTPHeaders {
			if slices.Contains([]string{"accept", "authorization", "content-type"}, strings.ToLower(name)) {
				return new(failure(http.StatusBadRequest, "INVALID_INPUT", "subrequests inherit the header "+name))
			}
		}
	}
	return nil
}

// collatesFrom is the API version from which on subrequests are collated unless they are not to be.
const collatesFrom = 49

// order is the one in which subrequests are run, by their places. Collated ones, of which none refers to another, are run in an order that nobody should rely on.
func (b *compositeRequest) order(version string) []int {
	places := inOrder(len(b.Requests))
	number, err := strconv.ParseFloat(strings.TrimPrefix(version, "v"), 64)
	collates := err == nil && number >= collatesFrom
	if b.Collate != nil {
		collates = *b.Collate
	}
	refers := func(r subrequest) bool { return reference.MatchString(r.URL) || reference.Match(r.Body) }
	if collates && !slices.ContainsFunc(b.Requests, refers) {
		slices.Reverse(places)
	}
	return places
}

func inOrder(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}

// sequence runs subrequests in an order, and reports whether all went well. Those that refer to one that has failed are not run.
func (s *Salesforce) sequence(c *crm.Call, requests []subrequest, order []int) (results []subresult, successful bool) {
	answers := map[string]any{}
	results, successful = make([]subresult, len(requests)), true
	for _, i := range order {
		r := requests[i]
		results[i] = s.subresult(c, r, answers)
		var parsed any
		if results[i].Status < http.StatusBadRequest && json.Unmarshal(results[i].Body, &parsed) == nil {
			answers[r.ReferenceID] = parsed
		}
		successful = successful && results[i].Status < http.StatusBadRequest
	}
	return results, successful
}

func (s *Salesforce) subresult(c *crm.Call, r subrequest, answers map[string]any) subresult {
	target, whole := refer(r.URL, answers)
	body, all := refer(string(r.Body), answers)
	if !whole || !all {
		return halt(r.ReferenceID, "Invalid reference specified.")
	}
	answer := failure(http.StatusBadRequest, "UNABLE_TO_LOCK_ROW", records.ErrItem.Error())
	if r.Method == http.MethodGet || !s.store.ItemFails() {
		answer = s.sub(c, r.Method, target, []byte(body))
	}
	header := map[string]string{}
	if made := (saved{}); answer.Status == http.StatusCreated && json.Unmarshal(answer.Body, &made) == nil {
		header["Location"] = target + "/" + made.ID
	}
	return subresult{Body: rawOf(answer), HTTPHeaders: header, Status: answer.Status, ReferenceID: r.ReferenceID}
}

// halt is what becomes of a subrequest because of another one.
func halt(referenceID, message string) subresult {
	return subresult{
		Body: rawOf(failure(http.StatusBadRequest, "PROCESSING_HALTED", message)), HTTPHeaders: map[string]string{},
		Status: http.StatusBadRequest, ReferenceID: referenceID,
	}
}

func bounds(requests int) *crm.Reply {
	if requests <= maxSubrequests {
		return nil
	}
	return new(failure(http.StatusBadRequest, "LIMIT_EXCEEDED", "at most 25 subrequests are allowed"))
}

var reference = regexp.MustCompile(`@\{(\w+)((?:\.\w+)+)\}`)

// refer fills in what answers to earlier subrequests say, and reports whether they say all of it.
func refer(text string, answers map[string]any) (filled string, whole bool) {
	whole = true
	filled = reference.ReplaceAllStringFunc(text, func(place string) string {
		parts := reference.FindStringSubmatch(place)
		fields, known := answers[parts[1]].(records.Fields)
		whole = whole && known
		return records.Text(fields, strings.TrimPrefix(parts[2], "."))
	})
	return filled, whole
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
