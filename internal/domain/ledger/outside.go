// SPDX-License-Identifier: Apache-2.0

package ledger

// SetOutside charges limit k with n units for the owner besides what is charged by calls, in place of what was set before: an estimate of what callers use that
// do not come through us. It lasts until it is set again; other limits do not count it. A limit per record has no such charge, as nothing of it is shared.
func (l *Ledger) SetOutside(k int, o Owner, n int64) {
	a := &l.accounts[k]
	if a.form == perRecord || a.outside[o] == n {
		return
	}
	was := a.outside[o]
	if a.outside == nil {
		a.outside = map[Owner]int64{}
	}
	a.outside[o] = n
	l.change(k, o, n-was)
}

// Outside is what SetOutside has set of limit k, for all owners.
func (l *Ledger) Outside(k int) (sum int64) {
	for _, n := range l.accounts[k].outside {
		sum += n
	}
	return sum
}

// Own is what calls are charged to limit k, without what SetOutside has set: settled of calls that were answered, open of those that are in flight or in doubt.
func (l *Ledger) Own(k int) (settled, open int64) {
	a := &l.accounts[k]
	for _, c := range l.open {
		open += c.cost[k]
	}
	open += a.inDoubt
	return max(0, a.used-open-l.Outside(k)), open
}
