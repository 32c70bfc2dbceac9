// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"math/rand/v2"
	"slices"
	"time"
)

// nodes is how many clocks a fleet has: evenly apart, the outermost as far off as the limit says.
const nodes = 5

// fleet is a count that several nodes keep together: each stamps calls with a clock of its own and looks back from there, and what is counted becomes known to
// all of them late.
type fleet struct {
	counter    Counter
	skew, late time.Duration
	random     *rand.Rand
	// ahead is the clock of the node that answers, compared with the present.
	ahead time.Duration
	// coming are the calls that are not counted yet, by the moment at which they will be.
	coming []coming
}

type coming struct {
	at, stamp time.Time
	units     int
}

// Remaining asks one node, at random.
func (f *fleet) Remaining(now time.Time) (int, time.Duration) {
	f.count(now)
	f.ahead = f.skew * time.Duration(2*f.random.IntN(nodes)-(nodes-1)) / (nodes - 1)
	return f.counter.Remaining(now.Add(f.ahead))
}

// Take has the call counted by the node that was asked last.
func (f *fleet) Take(now time.Time, units int) {
	at := now.Add(time.Duration(f.random.Int64N(int64(f.late) + 1)))
	i := len(f.coming)
	for i > 0 && f.coming[i-1].at.After(at) {
		i--
	}
	f.coming = slices.Insert(f.coming, i, coming{at: at, stamp: at.Add(f.ahead), units: units})
	f.count(now)
}

// count counts the calls that are due.
func (f *fleet) count(now time.Time) {
	for len(f.coming) > 0 && !f.coming[0].at.After(now) {
		f.counter.Take(f.coming[0].stamp, f.coming[0].units)
		f.coming = f.coming[1:]
	}
}
