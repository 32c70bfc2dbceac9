// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"slices"
)

// Kinds of snapshots, with their version. A change of what is kept needs a new number: an old snapshot is then refused, and the forecasts begin anew.
const (
	historySnapshot = 0x11
	demandSnapshot  = 0x21
	advisorSnapshot = 0x31
)

// mostSum is the largest sum of calls or units.
const mostSum = 1e18

// Snapshot appends what the History has learnt, 4 KiB. Calls of the present half hour and forecasts whose outcome is not known are left out.
func (h *History) Snapshot(to []byte) []byte {
	start := len(to)
	w := writer{append(slices.Grow(to, 4096), historySnapshot)}
	s := &h.season
	w.figures(s.week[:])
	w.figures(s.weekSquare[:])
	w.figures(s.day[:])
	w.figures(s.daySquare[:])
	w.bytes = append(append(w.bytes, s.weekSeen[:]...), s.daySeen[:]...)
	w.figure(float64(s.overall))
	w.number(s.seen)
	for _, x := range []float64{h.recent.level.asked, h.recent.level.usual, h.recent.level.slots} {
		w.figure(min(x, mostSum))
	}
	for i := range h.spans {
		p := &h.spans[i]
		w.figures(p.off[:])
		w.figures(p.unfit[:])
		w.figure(float64(p.wrong))
		w.figure(float64(p.foreseen))
		w.number(p.seen)
		for j := range p.residuals {
			p.residuals[j].write(&w)
		}
	}
	return w.seal(start)
}

// Restore puts back what a Snapshot holds; the time that has passed since is not known, so nothing is learnt from it. On an error the History is as it was.
func (h *History) Restore(from []byte) error {
	r := unseal(from, historySnapshot)
	n := NewHistory(h.zone.location)
	s := &n.season
	r.figures(s.week[:], 0, mostCalls)
	r.figures(s.weekSquare[:], 0, mostSquare)
	r.figures(s.day[:], 0, mostCalls)
	r.figures(s.daySquare[:], 0, mostSquare)
	copy(s.weekSeen[:], r.take(len(s.weekSeen)))
	copy(s.daySeen[:], r.take(len(s.daySeen)))
	s.overall = float32(r.figure(0, mostCalls))
	s.seen = r.number()
	n.recent.level = decayed{asked: r.figure(0, mostSum), usual: r.figure(0, mostSum), slots: r.figure(0, mostSum)}
	for i := range n.spans {
		p := &n.spans[i]
		r.figures(p.off[:], 0, mostSquare)
		r.figures(p.unfit[:], -mostUnfit, 2*mostUnfit)
		p.wrong, p.foreseen = float32(r.figure(0, mostSquare)), float32(r.figure(0, mostSquare))
		p.seen = r.number()
		for j := range p.residuals {
			p.residuals[j].read(&r)
		}
		p.weigh()
	}
	if err := r.done(); err != nil {
		return err
	}
	s.sum()
	n.total = h.total
	*h = *n
	return nil
}

func (r *residuals) write(w *writer) {
	for _, x := range r.weight {
		w.weight(x)
	}
	w.figure(float64(r.miss))
}

func (r *residuals) read(from *reader) {
	sum := float32(0)
	for i := range r.weight {
		r.weight[i] = from.weight()
		sum += r.weight[i]
	}
	from.ok = from.ok && sum > 0
	r.miss = max(leastMiss, min(float32(from.figure(0, 1)), mostMiss))
	r.settle()
}

// Snapshot appends what the Demand has learnt of the amounts of calls, and of forecasts to the end of a calendar period: 0.3 KiB at most.
func (d *Demand) Snapshot(to []byte) []byte {
	start := len(to)
	w := writer{append(to, demandSnapshot)}
	calls := 0.0
	if d.history != nil {
		calls = max(0, d.history.total-d.amounts.since)
	}
	for _, x := range []float64{calls, d.amounts.sum, d.amounts.squares} {
		w.figure(min(x, mostSquare))
	}
	if d.renewal == nil {
		w.number(0)
		return w.seal(start)
	}
	w.number(1)
	for i := range d.renewal.checks {
		w.figure(float64(d.renewal.checks[i].square))
		w.number(d.renewal.checks[i].seen)
	}
	for i := range d.renewal.residuals {
		d.renewal.residuals[i].write(&w)
	}
	return w.seal(start)
}

// Restore puts back what a Snapshot of the same limit holds. On an error the Demand is as it was.
func (d *Demand) Restore(from []byte) error {
	r := unseal(from, demandSnapshot)
	calls := r.figure(0, mostSum)
	a := amounts{sum: r.figure(0, mostSum), squares: r.figure(0, mostSquare)}
	has := r.number() == 1
	if has != (d.renewal != nil) {
		return errSnapshot
	}
	var n renewal
	if has {
		n = renewal{period: d.renewal.period, location: d.renewal.location}
		for i := range n.checks {
			n.checks[i].square = float32(r.figure(0, mostSquare))
			n.checks[i].seen = r.number()
		}
		for i := range n.residuals {
			n.residuals[i].read(&r)
		}
	}
	if err := r.done(); err != nil {
		return err
	}
	if d.history != nil {
		a.since = d.history.total - calls
		d.amounts = a
	}
	if has {
		*d.renewal = n
	}
	return nil
}

// Snapshot appends the last two weeks, 3 KiB. Calls that wait in lines are left out.
func (a *Advisor) Snapshot(to []byte) []byte {
	start := len(to)
	w := writer{append(slices.Grow(to, 4096), advisorSnapshot)}
	w.integer(uint64(a.first))
	for i := range a.days {
		d := &a.days[i]
		w.integer(uint64(d.day))
		w.figure(float64(d.seconds))
		w.figures(d.units[:])
		for t := range d.late {
			w.figures(d.late[t][:])
		}
		w.figures(d.waits[:])
	}
	return w.seal(start)
}

// Restore puts back what a Snapshot of the same limit holds, also one of another size. On an error the Advisor is as it was.
func (a *Advisor) Restore(from []byte) error {
	r := unseal(from, advisorSnapshot)
	first := r.integer()
	var days [advisedDays]adviceDay
	for i := range days {
		d := &days[i]
		day := r.integer()
		// The day decides its place.
		r.ok = r.ok && (day == 0 || day%advisedDays == uint64(i)) && day < 1<<32
		d.day = int64(day)
		d.seconds = float32(r.figure(0, mostSum))
		r.figures(d.units[:], 0, mostSum)
		for t := range d.late {
			r.figures(d.late[t][:], 0, mostSum)
		}
		r.figures(d.waits[:], 0, mostSum)
	}
	if err := r.done(); err != nil {
		return err
	}
	if first < 1 || first > math.MaxInt64/(1<<octavesAbove) {
		return errSnapshot
	}
	a.days = days
	a.try(int64(first))
	if a.first != a.limit.Max {
		a.SetMax(a.limit.Max)
	}
	return nil
}
