// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"strings"
	"testing"
)

// filledWith returns a bulk call with so many items.
func (c *target) filledWith(b bulk, items int) call {
	c.Helper()
	list := make([]string, items)
	for i := range list {
		item, _ := c.filled(call{body: b.item})
		list[i] = item.body
	}
	b.body = strings.ReplaceAll(b.body, "{items}", strings.Join(list, ","))
	what, known := c.filled(b.call)
	if !known {
		c.Fatalf("%s has placeholders", b.path)
	}
	return what
}

// usual is how many items a bulk call has where nobody says how many it takes.
const usual = 50

// TestBulkCallsTakeWhatTheyAreSaidTo: so many records for so many calls of the licence, and not one more.
func TestBulkCallsTakeWhatTheyAreSaidTo(t *testing.T) {
	simulatedOnly(t)
	for _, s := range suites {
		for _, b := range s.bulks {
			t.Run(s.provider+"/"+b.operation, func(t *testing.T) {
				c := open(t, s, "all=100000/24h")
				items := b.most
				if items == 0 {
					items = usual
				}
				what := c.filledWith(b, items)
				if class := classOf(c.provider, what); class.Operation != b.operation {
					t.Errorf("it is called %q", class.Operation)
				}
				got := c.send(what)
				if got.status >= http.StatusMultipleChoices {
					t.Fatalf("answered %d: %.300s", got.status, got.body)
				}
				if created := c.effects()[0]; created != items {
					t.Errorf("%d items made %d records", items, created)
				}
				if weight := c.sim.Report().Limits[0].Peak.Calls; weight != max(b.weight, 1) {
					t.Errorf("it counted as %d calls", weight)
				}
				if told := len(members(got.body, b.results)); b.results != "" && told != items {
					t.Errorf("%s tells of %d items: %.300s", b.results, told, got.body)
				}
				if b.most == 0 {
					return
				}
				if over := c.send(c.filledWith(b, b.most+1)); over.status < http.StatusBadRequest || c.effects()[0] != items {
					t.Errorf("one item too many is answered %d: %.300s", over.status, over.body)
				}
			})
		}
	}
}
