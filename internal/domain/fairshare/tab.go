// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// tabUnit is what one call is divided into.
const tabUnit = 1 << 20

// Tab keeps account of calls that several integrations share. A limit counts whole calls, so one of them pays for each; each owes of it the part that is its own. Who
// would owe most pays, so that everybody owes, or is owed, fewer calls than there are integrations that share. The zero Tab is ready for use.
type Tab struct{ owed map[ledger.Owner]int64 }

// Rider is an integration with so many items, at least one, in a call that is shared.
type Rider struct {
	Owner ledger.Owner
	Items int64
}

// Payer is the one of the riders that pays for their call: who would owe most with its own part of it, of equal ones the first. There must be one.
func (t *Tab) Payer(riders []Rider) ledger.Owner {
	payer, most := ledger.NoOwner, int64(0)
	for n, part := range parts(riders) {
		if owes := t.owed[riders[n].Owner] + part; payer == ledger.NoOwner || owes > most {
			payer, most = riders[n].Owner, owes
		}
	}
	return payer
}

// Pay notes that one of the riders was charged for their call.
func (t *Tab) Pay(riders []Rider, payer ledger.Owner) { t.enter(riders, payer, 1) }

// Refund takes a Pay back: nothing was sent.
func (t *Tab) Refund(riders []Rider, payer ledger.Owner) { t.enter(riders, payer, -1) }

// Owes is how many calls the owner has had more than it has paid for; below 0, fewer. Over all owners it is 0.
func (t *Tab) Owes(o ledger.Owner) float64 { return float64(t.owed[o]) / tabUnit }

func (t *Tab) enter(riders []Rider, payer ledger.Owner, sign int64) {
	if t.owed == nil {
		t.owed = map[ledger.Owner]int64{}
	}
	for n, part := range parts(riders) {
		t.owed[riders[n].Owner] += sign * part
	}
	t.owed[payer] -= sign * tabUnit
}

// parts are what the riders owe of their call, in proportion to their items. They add up to a call exactly: what division leaves over is the first one's.
func parts(riders []Rider) []int64 {
	all, items, rest := make([]int64, len(riders)), int64(0), int64(tabUnit)
	for _, r := range riders {
		items += r.Items
	}
	for n, r := range riders {
		all[n] = tabUnit * r.Items / items
		rest -= all[n]
	}
	all[0] += rest
	return all
}
