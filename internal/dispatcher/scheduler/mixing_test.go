// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/salesforce"
)

const (
	orgData  = "/services/data/v60.0"
	sobjects = orgData + "/sobjects/"
)

// org is a CRM that takes writes of records by themselves, in collections, and in composites.
type org struct {
	// done are the methods and paths of writes in the order of their effect, with their subjects.
	done []string
	// lost is how many composites take effect and are not answered, turned how many are answered as malformed.
	lost, turned int
	// bad are subjects that are refused.
	bad []string
	// composites has the sizes of these calls, collections those of the others that take many; singles is how many came by themselves.
	composites, collections []int
	singles                 int
}

type orgWrite struct {
	Method, URL, ReferenceID string
	Body                     struct{ Subject string }
}

// answer is called by one request at a time.
func (o *org) answer(what *call.Call) answer {
	switch what.Target {
	case orgData + "/composite":
		return o.composite(what.Body)
	case orgData + "/composite/sobjects":
		var body struct{ Records []struct{ Subject string } }
		if json.Unmarshal(what.Body, &body) != nil {
			return answer{status: http.StatusBadRequest}
		}
		o.collections = append(o.collections, len(body.Records))
		var saved []string
		for _, r := range body.Records {
			o.done = append(o.done, r.Subject)
			saved = append(saved, fmt.Sprintf(`{"id":"500%d","success":true,"errors":[]}`, len(o.done)))
		}
		return answer{status: http.StatusOK, body: "[" + strings.Join(saved, ",") + "]"}
	}
	o.singles++
	w := orgWrite{Method: what.Method, URL: what.Target}
	if len(what.Body) > 0 && json.Unmarshal(what.Body, &w.Body) != nil {
		return answer{status: http.StatusBadRequest}
	}
	status, body := o.write(w)
	return answer{status: status, body: body}
}

func (o *org) composite(body []byte) answer {
	var all struct {
		CollateSubrequests *bool
		CompositeRequest   []orgWrite
	}
	if json.Unmarshal(body, &all) != nil || all.CollateSubrequests == nil || *all.CollateSubrequests {
		return answer{status: http.StatusBadRequest, body: "malformed"}
	}
	o.composites = append(o.composites, len(all.CompositeRequest))
	if o.turned > 0 {
		o.turned--
		return answer{status: http.StatusBadRequest, body: "malformed"}
	}
	var results []string
	for _, w := range all.CompositeRequest {
		status, own := o.write(w)
		results = append(results, fmt.Sprintf(`{"httpStatusCode":%d,"httpHeaders":{},"referenceId":%q,"body":%s}`, status, w.ReferenceID, own))
	}
	slices.Reverse(results)
	o.lost--
	return answer{status: http.StatusOK, body: `{"compositeResponse":[` + strings.Join(results, ",") + `]}`, broken: o.lost >= 0}
}

func (o *org) write(w orgWrite) (status int, body string) {
	if slices.Contains(o.bad, w.Body.Subject) {
		return http.StatusBadRequest, `[{"errorCode":"BAD_SUBJECT"}]`
	}
	what := strings.TrimSpace(w.Method + " " + strings.TrimPrefix(w.URL, sobjects) + " " + w.Body.Subject)
	o.done = append(o.done, what)
	if w.Method == http.MethodPost {
		return http.StatusCreated, fmt.Sprintf(`{"id":%q}`, what)
	}
	return http.StatusNoContent, "null"
}

// inOrg runs a test with an org as the CRM, and a plan under which calls are merged.
func inOrg(t *testing.T, o *org, test func(t *testing.T, b *bench)) {
	t.Helper()
	inBubble(t, func(t *testing.T, b *bench) {
		b.stop()
		b.crm.reply, b.dialect = o.answer, salesforce.Salesforce{}
		b.fresh()
		b.apply(merging100(2))
		test(t, b)
	})
}

// orgCall is a call as intake would hand it in. Only the objects that have operations have names.
func orgCall(method, path, subject string) *call.Call {
	class := salesforce.Salesforce{}.Classify(method, sobjects+path, nil)
	repeat := call.RepeatNever
	if class.Idempotent {
		repeat = call.RepeatIdempotent
	}
	c := write(sobjects+path, repeat)
	c.Method, c.Operation, c.Body = method, class.Operation, nil
	if subject != "" {
		c.Body = fmt.Appendf(nil, `{"Subject":%q}`, subject)
	}
	return c
}

// mixture is n of each of five kinds: creations of two objects, one of which has no name, an update and an upsert of records of their own, and a deletion.
func mixture(n int) (calls []*call.Call) {
	for i := range n {
		calls = append(calls,
			orgCall("POST", "Case", fmt.Sprintf("case%d", i)), orgCall("POST", "Claim__c", fmt.Sprintf("claim%d", i)),
			orgCall("PATCH", fmt.Sprintf("Lead/00Q%d", i), "lead"), orgCall("PATCH", fmt.Sprintf("Task/Ext__c/x%d", i), "task"),
			orgCall("DELETE", fmt.Sprintf("Claim__c/a0%d", i), ""),
		)
	}
	return calls
}

// wantWritten checks that each call was answered as what it is.
func (b *bench) wantWritten(ids []call.ID, calls []*call.Call) {
	b.t.Helper()
	for i, id := range ids {
		want, body := http.StatusNoContent, ""
		if c := calls[i]; c.Method == http.MethodPost {
			var fields struct{ Subject string }
			_ = json.Unmarshal(c.Body, &fields) // it was made of one
			want, body = http.StatusCreated, fmt.Sprintf(`{"id":"POST %s %s"}`, strings.TrimPrefix(c.Target, sobjects), fields.Subject)
		}
		if r := b.result(id); r.State != call.StateSucceeded || r.Status != want || string(r.Body) != body {
			b.t.Errorf("%s %s is %s (%s): %d %s", calls[i].Method, calls[i].Target, r.State, r.Reason, r.Status, r.Body)
		}
	}
}

func TestCallsOfDifferentOperationsGoTogether(t *testing.T) {
	o := &org{}
	inOrg(t, o, func(t *testing.T, b *bench) {
		calls := mixture(5)
		ids := b.queueHeld(3, calls)
		time.Sleep(time.Minute)
		b.wantWritten(ids, calls)
		if !slices.Equal(o.composites, []int{25}) || o.singles+len(o.collections) != 0 {
			t.Errorf("composites of %v, collections of %v, %d by themselves", o.composites, o.collections, o.singles)
		}
		if c := b.snap().Integrations[0].Counters; c.Saved != 24 || c.Dispatched != 1 {
			t.Errorf("%d calls are saved by %d", c.Saved, c.Dispatched)
		}
	})
}

// TestTheLargerBulkCallGoes: what fills a composite by itself goes in a collection, and what is left goes together.
func TestTheLargerBulkCallGoes(t *testing.T) {
	alike := func(n int) (calls []*call.Call) {
		for range n {
			calls = append(calls, orgCall("POST", "Case", "s"))
		}
		return calls
	}
	cases := map[string]struct {
		calls                   []*call.Call
		change                  func(*contract.Plan)
		composites, collections []int
		singles                 int
	}{
		"enough of one":           {calls: append(alike(30), mixture(1)[1:]...), composites: []int{4}, collections: []int{30}},
		"too few of one":          {calls: append(alike(20), mixture(1)[1:]...), composites: []int{24}},
		"nothing else":            {calls: alike(20), collections: []int{20}},
		"more than one takes":     {calls: mixture(12), composites: []int{25, 25, 10}},
		"many of a kind unnamed":  {calls: claims(130), composites: []int{25, 25, 25, 25, 25, 5}},
		"as many as the plan has": {calls: mixture(2), change: func(p *contract.Plan) { p.Integrations[0].Batching.MaxItems = 4 }, composites: []int{4, 4, 2}},
		"only what is named": {
			calls: mixture(2), change: func(p *contract.Plan) { p.Integrations[0].Batching.Operations = []string{"CreateCase", "UpsertTask"} },
			composites: []int{4}, singles: 6,
		},
		"not what is folded": {calls: mixture(2), change: folding, composites: []int{8}, collections: []int{2}},
		"off":                {calls: mixture(2), change: func(p *contract.Plan) { p.Integrations[0].Batching = nil }, singles: 10},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := &org{}
			inOrg(t, o, func(t *testing.T, b *bench) {
				if c.change == nil {
					c.change = func(*contract.Plan) {}
				}
				ids := b.queueHeld(3, c.calls, c.change)
				time.Sleep(time.Minute)
				for i, id := range ids {
					if r := b.result(id); r.State != call.StateSucceeded {
						t.Errorf("call %d is %s: %s", i, r.State, r.Reason)
					}
				}
				slices.SortFunc(o.composites, func(x, y int) int { return y - x })
				if !slices.Equal(o.composites, c.composites) || !slices.Equal(o.collections, c.collections) || o.singles != c.singles {
					t.Errorf("composites of %v, collections of %v, %d by themselves", o.composites, o.collections, o.singles)
				}
			})
		})
	}
}

// claims are creations of an object without a name.
func claims(n int) (calls []*call.Call) {
	for i := range n {
		calls = append(calls, orgCall("POST", "Claim__c", fmt.Sprintf("claim%d", i)))
	}
	return calls
}

func TestWhatBecomesOfAMixedCall(t *testing.T) {
	cases := map[string]struct {
		org     *org
		restart bool
		// parked are the creations; singles is how many went by themselves, composites how many of these there were.
		parked              bool
		singles, composites int
	}{
		"the answer is lost":                       {org: &org{lost: 1}, parked: true, composites: 2},
		"power fails after a call that did arrive": {org: &org{lost: 1}, restart: true, parked: true, composites: 2},
		"it is not taken":                          {org: &org{turned: 1}, singles: 25, composites: 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inOrg(t, c.org, func(t *testing.T, b *bench) {
				calls := mixture(5)
				ids := b.queueHeld(3, calls)
				if c.restart {
					b.restart(time.Minute)
				}
				time.Sleep(10 * time.Minute)
				for i, id := range ids {
					want := call.StateSucceeded
					if c.parked && calls[i].Method == http.MethodPost {
						want = call.StateParked
					}
					if r := b.result(id); r.State != want || want == call.StateParked && r.Reason != inDoubt {
						t.Errorf("%s %s is %s: %s", calls[i].Method, calls[i].Target, r.State, r.Reason)
					}
				}
				if c.org.singles != c.singles || len(c.org.composites) != c.composites {
					t.Errorf("%d by themselves, composites of %v", c.org.singles, c.org.composites)
				}
				made := map[string]int{}
				for _, what := range c.org.done {
					if made[what]++; strings.HasPrefix(what, "POST") && made[what] > 1 {
						t.Errorf("%s took effect twice", what)
					}
				}
			})
		})
	}
}

// TestAMemberThatFailsIsToldSo: the CRM's own word is there, so nothing is sent again.
func TestAMemberThatFailsIsToldSo(t *testing.T) {
	o := &org{bad: []string{"claim2"}}
	inOrg(t, o, func(t *testing.T, b *bench) {
		ids := b.queueHeld(3, claims(5))
		time.Sleep(time.Minute)
		for i, id := range ids {
			r := b.result(id)
			if i == 2 && (r.State != call.StateFailed || r.Status != http.StatusBadRequest || string(r.Body) != `[{"errorCode":"BAD_SUBJECT"}]`) ||
				i != 2 && r.State != call.StateSucceeded {
				t.Errorf("call %d is %s: %d %s", i, r.State, r.Status, r.Body)
			}
		}
		if !slices.Equal(o.composites, []int{5}) || o.singles != 0 {
			t.Errorf("composites of %v, %d by themselves", o.composites, o.singles)
		}
	})
}

// TestMixedCallsKeepTheOrder of the updates of a record, and of calls with one ordering key, though an answer is lost.
func TestMixedCallsKeepTheOrder(t *testing.T) {
	for _, lost := range []int{0, 1} {
		t.Run(fmt.Sprintf("%d answers are lost", lost), func(t *testing.T) {
			o := &org{lost: lost}
			inOrg(t, o, func(t *testing.T, b *bench) {
				calls := []*call.Call{
					orgCall("PATCH", "Claim__c/a01", "1"), orgCall("PATCH", "Claim__c/a01", "2"), orgCall("PATCH", "Claim__c/a01", "3"),
					orgCall("PATCH", "Claim__c/a02", "1"), orgCall("PATCH", "Claim__c/a02", "2"), orgCall("PATCH", "Claim__c/a02", "3"),
					orgCall("PATCH", "Lead/Ext__c/one", "1"), orgCall("PATCH", "Task/Ext__c/two", "2"), orgCall("DELETE", "Lead/Ext__c/one", ""),
				}
				for _, c := range calls[6:] {
					c.OrderKey = "k"
				}
				ids := b.queueHeld(3, append(calls, mixture(1)[2:]...))
				time.Sleep(10 * time.Minute)
				for i, id := range ids {
					if r := b.result(id); r.State != call.StateSucceeded {
						t.Errorf("call %d is %s: %s", i, r.State, r.Reason)
					}
				}
				for _, wanted := range [][]string{
					{"PATCH Claim__c/a01 1", "PATCH Claim__c/a01 2", "PATCH Claim__c/a01 3"},
					{"PATCH Lead/Ext__c/one 1", "PATCH Task/Ext__c/two 2", "DELETE Lead/Ext__c/one"},
				} {
					var got []string
					for _, what := range o.done {
						if slices.Contains(wanted, what) {
							got = append(got, what)
						}
					}
					if got = slices.Compact(got); !slices.Equal(got, wanted) { // what was sent again follows itself
						t.Errorf("there were %q", got)
					}
				}
				if len(o.composites) != 3+lost {
					t.Errorf("composites of %v, %d by themselves", o.composites, o.singles)
				}
			})
		})
	}
}

// TestAlwaysWaitsForItsOwn: a call of an operation with a bulk call of its own waits for those, which are more than go together with others.
func TestAlwaysWaitsForItsOwn(t *testing.T) {
	o := &org{}
	inOrg(t, o, func(t *testing.T, b *bench) {
		b.apply(merging100(3, func(p *contract.Plan) {
			p.Integrations[0].Batching = &contract.Batching{Mode: contract.BatchAlways, MaxLingerSeconds: 10}
		}))
		for i := range 40 {
			b.enqueue(orgCall("POST", "Case", fmt.Sprint(i)))
			b.enqueue(orgCall("POST", "Claim__c", fmt.Sprint(i)))
			time.Sleep(100 * time.Millisecond)
		}
		b.crm.look(func() {
			if !slices.Equal(o.composites, []int{25}) || len(o.collections) > 0 {
				t.Errorf("after 4 s there were composites of %v, collections of %v", o.composites, o.collections)
			}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(o.composites, []int{25, 15}) || !slices.Equal(o.collections, []int{40}) || o.singles > 0 {
			t.Errorf("composites of %v, collections of %v, %d by themselves", o.composites, o.collections, o.singles)
		}
	})
}
