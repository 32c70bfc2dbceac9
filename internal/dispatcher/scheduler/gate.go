// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// gate holds calls back after the CRM has refused or failed one. When its time is over it lets one call through, the probe; the gate opens when a call that was
// sent after the trouble fares well.
type gate struct {
	// least and most bound the pause where the CRM names none; it doubles with each failure in a row.
	least, most time.Duration

	shut     bool
	until    time.Time
	failures int
	// last was the newest charge when the gate shut: calls up to it say nothing new.
	last ledger.ID
	// probe is on its way.
	probe ledger.ID
}

// open says whether a call may be sent now; a shut gate lets the probe through.
func (g *gate) open(now time.Time) bool {
	return !g.shut || g.probe == 0 && !now.Before(g.until)
}

// sent notes that a call was let through.
func (g *gate) sent(id ledger.ID) {
	if g.shut && g.probe == 0 {
		g.probe = id
	}
}

// fail shuts the gate because of the call: for wait if the CRM asked for that, else for a pause that grows; random is in [0, 1) and spreads it.
func (g *gate) fail(now time.Time, id, newest ledger.ID, wait time.Duration, random float64) {
	news := !g.shut || id > g.last
	if id == g.probe {
		g.probe = 0
	}
	if wait <= 0 {
		if !news {
			return
		}
		wait = g.pause(random)
	}
	if until := now.Add(wait); news || until.After(g.until) {
		g.until = until
	}
	if news {
		g.failures++
		g.last = newest
	}
	g.shut = true
}

// pass opens the gate if the call was sent after the trouble.
func (g *gate) pass(id ledger.ID) {
	if g.shut && id > g.last {
		g.shut, g.failures, g.probe = false, 0, 0
	}
	g.forget(id)
}

// forget notes that a call ended without telling anything.
func (g *gate) forget(id ledger.ID) {
	if id == g.probe {
		g.probe = 0
	}
}

// pause is exponential with full jitter, but at least least.
func (g *gate) pause(random float64) time.Duration {
	most := g.most
	if g.failures < 16 {
		most = min(most, g.least<<g.failures)
	}
	return max(g.least, time.Duration(random*float64(most)))
}
