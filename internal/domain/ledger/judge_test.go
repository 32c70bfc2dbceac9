// SPDX-License-Identifier: Apache-2.0

package ledger_test

// The judge shares no code with the ledger. It lets the CRM count each call at whatever instant of its interval is worst.

// overruns says whether the CRM can have counted more than a rule allows: when a call was sent, no window that can hold it may be able to hold more than the
// rule in force of the calls sent until then. A window is (at-length, at]; a slot is held in [sent, end).
func overruns(w world, calls []sending) bool {
	for n, last := range calls {
		for _, r := range last.rules {
			margin := w.late
			if r.window == 0 {
				margin = w.release
			}
			for at := last.sent; at < last.end+margin+r.window; at++ {
				count := 0
				for _, c := range calls[:n+1] {
					if c.sent <= at && c.end+margin > at-r.window {
						count++
					}
				}
				if count > r.most {
					return true
				}
			}
		}
	}
	return false
}

// latestSending is by when a sender that never rests must have sent its n-th call, counted from 0: a charge lasts as long as its call can take and its longest
// hold, and most charges at a time are in use.
func latestSending(w world, n int) int {
	most, window, wait := endless, 0, 0
	all := [][]rule{w.rules}
	longest := 0
	for _, d := range w.delays {
		longest = max(longest, d)
	}
	for _, e := range w.events {
		switch e.kind {
		case giveUp:
			longest = max(longest, 1+w.linger)
		case crash:
			longest += w.linger
			wait += 2 * e.down
		case change:
			all = append(all, e.rules)
		}
	}
	for _, rules := range all {
		for _, r := range rules {
			most, window = min(most, r.most), max(window, r.window+w.late, r.release(w))
		}
	}
	return n/most*(longest+window) + wait
}

func (r rule) release(w world) int {
	if r.window == 0 {
		return w.release
	}
	return 0
}
