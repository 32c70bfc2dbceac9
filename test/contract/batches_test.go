// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// sendRequest makes a call that an adapter has composed.
func (c *target) sendRequest(r dialect.Request) answer {
	c.Helper()
	what := call{method: r.Method, path: r.Target, body: string(r.Body)}
	for name, values := range r.Header {
		what.header = append(what.header, name, values[0])
	}
	got := c.send(what)
	if got.status >= http.StatusMultipleChoices {
		c.Fatalf("%s %s is answered %d: %.300s", r.Method, r.Target, got.status, got.body)
	}
	return got
}

// TestBatchesAnswerEachCall: single calls that the adapter has made one take one call, and each gets an answer of its own, or is said to have failed.
func TestBatchesAnswerEachCall(t *testing.T) {
	simulatedOnly(t)
	check := func(c *target) {
		c.prepareAll()
		for _, o := range c.provider.Operations() {
			b, can := c.provider.Batch(o.Name)
			if !can {
				continue
			}
			i := slices.IndexFunc(c.suite.calls, func(template call) bool { return template.operation == o.Name })
			_, most := b.Size()
			creates := strings.HasPrefix(o.Name, "Create")
			if !creates { // changes of one record do not go together
				most = 1
			}
			members := make([]dialect.Request, most)
			for m := range members {
				what, _ := c.filled(c.suite.calls[i])
				members[m] = dialect.Request{Operation: what.operation, Method: what.method, Target: what.path, Body: []byte(what.body)}
			}
			before := c.effects()
			bulk, in := b.Merge("mark-1", members)
			if len(in) != most {
				c.Errorf("%s: %d of %d calls are merged", o.Name, len(in), most)
				continue
			}
			items := c.itemsOf(b, c.sendRequest(bulk), members)
			ids := map[string]bool{}
			for _, item := range items {
				if item.Answer == nil || item.Answer.Status >= http.StatusMultipleChoices {
					c.Errorf("%s: a call has no good answer: %+v", o.Name, item)
					continue
				}
				ids[string(item.Answer.Body)] = true
			}
			after := c.effects()
			if made := after[0] - before[0]; creates && (made != most || len(ids) != most) {
				c.Errorf("%s: %d calls have made %d records and got %d different answers", o.Name, most, made, len(ids))
			}
			if !creates && after[1] == before[1] {
				c.Errorf("%s: nothing was changed", o.Name)
			}
		}
	}
	each(t, check)
	t.Run("Generic, told of HubSpot", func(t *testing.T) {
		c := open(t, hubspotSuite)
		c.provider = asHubSpot
		check(c)
	})
}

// TestMixedBatchesAnswerEachCall: single calls of all operations that go together take one call, and each gets the answer that it would get by itself.
func TestMixedBatchesAnswerEachCall(t *testing.T) {
	simulatedOnly(t)
	each(t, func(c *target) {
		b, can := c.provider.Mixed()
		if !can {
			return
		}
		c.prepareAll()
		var members []dialect.Request
		for _, template := range slices.Concat(c.suite.calls, c.suite.mixed) {
			what, _ := c.filled(template)
			single := dialect.Request{Operation: what.operation, Method: what.method, Target: what.path, Body: []byte(what.body)}
			if b.Takes(single) {
				members = append(members, single)
			}
		}
		bulk, in := b.Merge("", members)
		if _, most := b.Size(); len(in) != len(members) || len(in) != most {
			c.Fatalf("%d of %d calls are merged, of %d that fit", len(in), len(members), most)
		}
		before := c.effects()
		items := b.Split(http.StatusOK, c.sendRequest(bulk).body, members)
		after := c.effects()
		creations := 0
		for i, item := range items.Items {
			want := http.StatusNoContent
			if members[i].Method == http.MethodPost || strings.HasPrefix(members[i].Operation, "Upsert") {
				want = http.StatusCreated
				creations++
			}
			if item.Answer == nil || item.Answer.Status != want || (len(item.Answer.Body) > 0) != (want == http.StatusCreated) {
				c.Errorf("%s %s is answered %+v", members[i].Method, members[i].Target, item)
			}
		}
		if made := after[0] - before[0]; made != creations {
			c.Errorf("%d creations have made %d records", creations, made)
		}
	})
}

// asHubSpot is told of a bulk call of HubSpot's as a manifest does it.
var asHubSpot = generic.Declared{Rules: contract.Generic{BulkCalls: []contract.BulkCall{{
	Operation: "CreateContact", Path: hsObjects + "contacts", BulkPath: hsObjects + "contacts/batch/create", MaxItems: 100,
	Items: []string{"inputs"}, Results: []string{"results"}, ID: []string{"id"},
}}}}

// itemsOf reads what became of each call, of a job by one poll.
func (c *target) itemsOf(b dialect.Batch, got answer, of []dialect.Request) []dialect.Item {
	c.Helper()
	split := b.Split(got.status, got.body, of)
	if split.Job == "" {
		return split.Items
	}
	job, is := b.(dialect.JobBatch)
	if !is {
		c.Fatalf("a job, but nothing to poll it by: %+v", split)
	}
	items, pending := job.ReadJob(split.Job, c.sendRequest(job.Poll([]string{split.Job})).body, of)
	if pending {
		c.Fatalf("job %s is not told of", split.Job)
	}
	return items
}
