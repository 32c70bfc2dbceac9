// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// demand is what is known of what one integration, or all together, ask for.
type demand struct {
	history *forecast.History
	// by limit: of all calls, and of those that somebody waits for.
	all, live []*forecast.Demand
	// of are the limits that these are about.
	of []limits.Limit
	// asked is set when one of them has grown since the last forecast.
	asked bool
	// calls and the units they took by limit, of late: what a call takes on average.
	calls float64
	units []float64
	// likely is the last forecast, by limit.
	likely []int64
}

// recentCalls is how many calls the average goes over, about.
const recentCalls = 4096

// setLimits makes forecasts for the limits that count these calls; the others have none. One that counts as it did keeps its forecasts.
func (d *demand) setLimits(ls []limits.Limit, counts func(k int) bool) {
	if d.history == nil {
		d.history = forecast.NewHistory(time.UTC)
	}
	before := *d
	d.all, d.live, d.units, d.calls = make([]*forecast.Demand, len(ls)), make([]*forecast.Demand, len(ls)), make([]float64, len(ls)), 0
	for k, l := range ls {
		if !counts(k) {
			continue
		}
		same := slices.IndexFunc(before.of, func(b limits.Limit) bool {
			return b.Meter == l.Meter && b.Unit == l.Unit && b.Kind == l.Kind && b.Window == l.Window && b.Period == l.Period
		})
		if same >= 0 && before.all[same] != nil {
			d.all[k], d.live[k] = before.all[same], before.live[same]
			continue
		}
		d.all[k], d.live[k] = forecast.NewDemand(l, d.history), forecast.NewDemand(l, nil)
	}
	d.of, d.asked, d.likely = ls, true, make([]int64, len(ls))
}

// ask notes a call; live, that somebody waits for it.
func (d *demand) ask(now time.Time, cost ledger.Cost, live bool) {
	d.history.Ask(now, 1)
	d.calls++
	for k, n := range cost {
		if n == 0 || d.all[k] == nil { // nil: of a client that the plan does not have any more, a call counts for all users
			continue
		}
		d.units[k] += float64(n)
		d.all[k].Ask(now, n)
		if live {
			d.live[k].Ask(now, n)
		}
	}
	if d.calls > recentCalls {
		d.calls /= 2
		for k := range d.units {
			d.units[k] /= 2
		}
	}
	d.asked = true
}

// perCall is what a call takes of limit k on average; 1 before any was seen.
func (d *demand) perCall(k int) float64 {
	if d.calls == 0 {
		return 1
	}
	return d.units[k] / d.calls
}

// ask notes that an integration asks for one more call.
func (s *Scheduler) ask(now time.Time, l *lane, p price, live bool) {
	if s.tariff == nil || l.spec == nil {
		return
	}
	cost := s.tariff.Cost(p.kind)
	l.demand.ask(now, cost, live)
	s.total.ask(now, cost, live)
	s.advise(now, cost, live)
}

// sentLive notes that a call somebody waited for is sent.
func (s *Scheduler) sentLive(now time.Time, l *lane, p price) {
	for k, n := range s.tariff.Cost(p.kind) {
		if n > 0 && l.demand.live[k] != nil {
			l.demand.live[k].Send(now, n)
		}
	}
}

// foresee tells the shares what each integration is expected to ask for.
func (s *Scheduler) foresee(now time.Time) {
	all := now.Sub(s.forecastAt) >= forecastEvery
	if all {
		s.forecastAt = now
		for k, d := range s.total.all {
			s.ahead[k] = d.Ahead(now)
		}
		for _, a := range s.advisors {
			a.Advance(now)
		}
		s.lookForScarcity(now)
	}
	for _, l := range s.order {
		if l.spec == nil || !all && !l.demand.asked {
			continue
		}
		l.demand.asked = false
		waiting := float64(int64(len(l.waiting)) + s.options.Store.Tally(l.key).Queued)
		for k, d := range l.demand.all {
			if d == nil {
				continue
			}
			p := forecast.Present{Used: s.ledger.UsedBy(k, l.owner), Waiting: int64(waiting * l.demand.perCall(k))}
			if _, end, ok := s.ledger.Period(k); ok {
				p.Left = max(0, end.Sub(now))
			}
			_, likely := d.Until(now, p)
			l.demand.likely[k] = likely
			s.sharing.SetDemand(k, l.owner, likely)
			if s.isPaced(k) {
				continue // room comes back within moments, and waiting calls go ahead: what is kept free would only stop the backlog
			}
			expected, sent := l.demand.live[k].Window(now)
			s.sharing.SetLive(k, l.owner, expected, sent)
		}
	}
}

func (s *Scheduler) isPaced(k int) bool {
	_, paced := s.guards.Pace(s.ledger.Limit(k))
	return paced
}

// drainTime is how long the first n queued calls of a lane will take: with even chances, and in 19 cases of 20. ok is false if that cannot be foreseen.
func (s *Scheduler) drainTime(now time.Time, l *lane, n int64) (even, late time.Duration, ok bool) {
	if s.plan == nil || s.plan.Hold || s.plan.Observe || l == nil || l.spec == nil {
		return 0, 0, false
	}
	if n <= 0 {
		return 0, 0, true
	}
	n = s.together(now, l, n)
	weights := s.activeWeights(l)
	capacities := make([]forecast.Capacity, 0, s.ledger.Limits())
	for k := range s.ledger.Limits() {
		if limit := s.ledger.Limit(k); !limit.AlertOnly && !limit.Meter.PerRecord && !limit.UntilJobEnds && s.countsLane(k, l) {
			capacities = append(capacities, s.capacity(now, l, k, weights))
		}
	}
	return forecast.Drain(n, capacities)
}

// capacity is what limit k leaves to the lane's backlog. Its part is certain as far as it is guaranteed, or falls to its weight among those who wait.
func (s *Scheduler) capacity(now time.Time, l *lane, k int, weights int64) forecast.Capacity {
	limit, perCall := s.ledger.Limit(k), l.demand.perCall(k)
	most, reserved := s.leftByOthers(k, l)
	share := min(most, max(1, s.sharing.Guaranteed(k, l.owner), limit.Max*l.spec.Share.Weight/weights))
	used := s.ledger.UsedBy(k, l.owner)
	c := forecast.Capacity{
		Kind: limit.Kind, Max: limit.Max, Share: share, Most: most, PerCall: perCall,
		Free:     max(0, min(s.ledger.Free(k), share-used)-s.sharing.Live(k, l.owner)),
		Window:   limit.Window + s.ledger.Guard(k),
		Hold:     s.meanDuration,
		Waiting:  int64(float64(len(l.waiting)) * perCall),
		Reserved: reserved,
	}
	own := l.demand.all[k].Ahead(now)
	others := s.ahead[k].Without(&own)
	c.Ahead = &others
	if start, end, ok := s.ledger.Period(k); ok {
		c.Window, c.Reset = end.Sub(start), max(0, end.Sub(now))
	}
	return c
}

// leftByOthers is the most that the lane may have of limit k, as others never lend the rest, and what others use of it or have kept free.
func (s *Scheduler) leftByOthers(k int, l *lane) (most, reserved int64) {
	most = s.ledger.Limit(k).Max
	for o := range ledger.Owner(s.ledger.Owners()) {
		if o == l.owner {
			continue
		}
		hard, soft := s.sharing.Reserved(k, o)
		used := s.ledger.UsedBy(k, o)
		most -= hard
		reserved += used + soft
	}
	return max(1, min(most, s.sharing.Ceiling(k, l.owner))), reserved
}

// activeWeights is the sum of the weights of all integrations that have calls waiting, the lane's own in any case.
func (s *Scheduler) activeWeights(own *lane) int64 {
	sum := int64(0)
	for _, l := range s.order {
		if l.spec != nil && (l == own || len(l.waiting) > 0 || len(l.queue.heads) > 0) {
			sum += l.spec.Share.Weight
		}
	}
	return max(1, sum)
}

func compareKeys(a, b string) int { return strings.Compare(a, b) }
