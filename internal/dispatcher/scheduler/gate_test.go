// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

func TestGate(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	cases := map[string]struct {
		do func(g *gate)
		// opens is the first second at which a call is let through, -1 for none within ten minutes.
		opens int
	}{
		"open at first":                {do: func(*gate) {}, opens: 0},
		"shut for as long as asked":    {do: func(g *gate) { g.fail(at(0), 3, 5, 30*time.Second, 0) }, opens: 30},
		"shut for a second if unasked": {do: func(g *gate) { g.fail(at(0), 3, 5, 0, 0) }, opens: 1},
		"a call sent before the trouble does not open it": {
			do: func(g *gate) { g.fail(at(0), 3, 5, 30*time.Second, 0); g.pass(5) }, opens: 30,
		},
		"a call sent after the trouble opens it": {
			do: func(g *gate) { g.fail(at(0), 3, 5, 30*time.Second, 0); g.pass(6) }, opens: 0,
		},
		"refusals of calls sent before prolong it only if they ask for more": {
			do: func(g *gate) {
				g.fail(at(0), 3, 5, 30*time.Second, 0)
				g.fail(at(0), 4, 5, 20*time.Second, 0)
				g.fail(at(0), 5, 5, 40*time.Second, 0)
			}, opens: 40,
		},
		"failures of calls sent before are one failure": {
			do: func(g *gate) { g.fail(at(0), 3, 5, 0, 1); g.fail(at(0), 4, 5, 0, 1) }, opens: 1,
		},
		"one probe at a time": {
			do: func(g *gate) { g.fail(at(0), 3, 5, 0, 0); g.sent(6) }, opens: -1,
		},
		"a probe that tells nothing makes room for another": {
			do: func(g *gate) { g.fail(at(0), 3, 5, 0, 0); g.sent(6); g.forget(6) }, opens: 1,
		},
		"a failed probe doubles the pause": {
			do: func(g *gate) {
				for id := range 4 {
					g.fail(at(0), ledger.ID(6+3*id), ledger.ID(6+3*id), 0, 1)
				}
			}, opens: 8,
		},
		"the pause has an end": {
			do: func(g *gate) {
				for id := range 40 {
					g.fail(at(0), ledger.ID(6+3*id), ledger.ID(6+3*id), 0, 1)
				}
			}, opens: 60,
		},
		"a pause is spread": {
			do: func(g *gate) {
				for id := range 6 {
					g.fail(at(0), ledger.ID(6+3*id), ledger.ID(6+3*id), 0, 0.5)
				}
			}, opens: 16,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := &gate{least: time.Second, most: time.Minute}
			c.do(g)
			opens := -1
			for s := range 600 {
				if g.open(at(s)) {
					opens = s
					break
				}
			}
			if opens != c.opens {
				t.Errorf("the gate opens after %d s, want %d", opens, c.opens)
			}
		})
	}
}
