// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// pace is a bucket of which a call takes its units when it is sent, and gets them back from the latest moment on at which the CRM can have counted it: so the CRM's
// own bucket is never emptier than this one.
type pace struct {
	limits.Pace
	// delay is by how much the CRM may count late.
	delay int64
	// open are units of calls whose end is not known or still to come.
	open int64
	// full is when the bucket will have got back what ended calls took.
	full int64
}

func newPace(p limits.Pace, delay int64) *pace { return &pace{Pace: p, delay: delay} }

// end notes that a call of n units has ended.
func (p *pace) end(end, n int64) {
	p.open -= n
	p.full = max(p.full, end+p.delay) + n*int64(p.Interval)
}

// free is how many units may be sent at now; below 0 if more are open than the bucket holds.
func (p *pace) free(now int64) int64 {
	missing := max(0, p.full-now)
	return p.Burst - p.open - (missing+int64(p.Interval)-1)/int64(p.Interval)
}

// next is the first instant after now at which a unit comes back; ok is false if none will.
func (p *pace) next(now int64) (at int64, ok bool) {
	if p.full <= now {
		return 0, false
	}
	return now + (p.full-now-1)%int64(p.Interval) + 1, true
}

// reaches is when n units may be sent at the earliest. Calls that are open are taken to end now.
func (p *pace) reaches(now, n int64) int64 {
	full := p.full
	if p.open > 0 {
		full = max(full, now+p.delay) + p.open*int64(p.Interval)
	}
	return max(now, full-(p.Burst-n)*int64(p.Interval))
}
