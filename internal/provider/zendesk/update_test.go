// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"fmt"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// TestWhatAJobSaysOfUpdates: results come in no order, and a failure's id may be the ticket's or the item's place.
func TestWhatAJobSaysOfUpdates(t *testing.T) {
	of := []dialect.Request{{Target: "/api/v2/tickets/245.json"}, {Target: "/api/v2/tickets/1"}, {Target: "/api/v2/tickets/007"}}
	cases := map[string]struct {
		results string
		// want has, for each item, "ok", "failed" or "".
		want [3]string
	}{
		"all are updated": {
			`{"id":7,"status":"Updated","success":true},{"id":1,"status":"Updated","success":true},{"id":245,"status":"Updated","success":true}`,
			[3]string{"ok", "ok", "ok"},
		},
		"a failure's id is a ticket":                 {`{"id":245,"error":"E","status":"Failed"}`, [3]string{"failed", "", ""}},
		"a failure's id is a place":                  {`{"id":2,"error":"E","status":"Failed"}`, [3]string{"", "", "failed"}},
		"a failure's id is both, of one item":        {`{"id":1,"error":"E","status":"Failed"}`, [3]string{"", "failed", ""}},
		"an index says it":                           {`{"index":0,"id":1,"error":"E","status":"Failed"}`, [3]string{"failed", "", ""}},
		"what was updated has not failed":            {`{"id":0,"error":"E","status":"Failed"},{"id":245,"success":true}`, [3]string{"ok", "", ""}},
		"neither a ticket nor a place":               {`{"id":99,"error":"E","status":"Failed"},{"id":-1,"status":"Failed"},{"id":99,"success":true}`, [3]string{}},
		"without a word of success nothing is known": {`{"id":245}`, [3]string{}},
		"an index beyond the items is nobody's":      {`{"index":3,"error":"E"},{"index":-1,"error":"E"}`, [3]string{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			body := fmt.Sprintf(`{"job_statuses":[{"id":"j","status":"completed","results":[%s]}]}`, c.results)
			items, pending := updateMany{}.ReadJob("j", []byte(body), of)
			var got [3]string
			for i, item := range items {
				switch {
				case item.Answer != nil:
					got[i] = "ok"
				case item.Failed:
					got[i] = "failed"
				}
			}
			if pending || got != c.want {
				t.Errorf("it says %q, want %q", got, c.want)
			}
		})
	}
}

// TestAFailuresIDThatCouldBeTwoItems says nothing.
func TestAFailuresIDThatCouldBeTwoItems(t *testing.T) {
	of := []dialect.Request{{Target: "/api/v2/tickets/1"}, {Target: "/api/v2/tickets/9"}}
	items, _ := updateMany{}.ReadJob("j", []byte(`{"job_statuses":[{"id":"j","status":"completed","results":[{"id":1,"status":"Failed"}]}]}`), of)
	for _, item := range items {
		if item != (dialect.Item{}) {
			t.Errorf("it says %+v", item)
		}
	}
}
