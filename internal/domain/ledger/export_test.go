// SPDX-License-Identifier: Apache-2.0

package ledger

import "slices"

// Kept is how much a ledger holds: records in all its histories, entries about records of the CRM, and meters.
func (l *Ledger) Kept() (records, entries, meters int) {
	for _, m := range slices.Concat(l.meters, l.former) {
		records += len(m.log.records) + len(m.past.records)
	}
	for k := range l.accounts {
		a := &l.accounts[k]
		records += len(a.steps.records) + len(a.band.records)
		if a.records != nil {
			entries += len(a.records.log) + len(a.records.used)
		}
	}
	return records, entries, len(l.meters) + len(l.former)
}
