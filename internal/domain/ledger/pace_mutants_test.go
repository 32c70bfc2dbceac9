// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// bucket is a pace by its definition: what a call takes comes back unit by unit, each an interval after the one before, and the first of them an interval after
// the CRM can have counted it.
type bucket struct {
	size            int64
	interval, delay time.Duration
	calls           []*bucketCall
}

type bucketCall struct {
	units int64
	open  bool
	end   time.Time
}

// free is what is in it at an instant, if every open call ends at fallback; without one, open calls do not end.
func (b *bucket) free(at time.Time, fallback *time.Time) int64 {
	level, last := b.size, time.Time{}
	var ended []bucketCall
	for _, c := range b.calls {
		switch {
		case !c.open:
			ended = append(ended, *c)
		case fallback != nil:
			ended = append(ended, bucketCall{units: c.units, end: *fallback})
		default:
			level -= c.units
		}
	}
	slices.SortStableFunc(ended, func(x, y bucketCall) int { return x.end.Compare(y.end) })
	for _, c := range ended {
		if from := c.end.Add(b.delay); from.After(last) {
			last = from
		}
		last = last.Add(time.Duration(c.units) * b.interval)
	}
	for last.After(at) { // each interval that is still to come is a unit that is missing
		level--
		last = last.Add(-b.interval)
	}
	return level
}

// earliest is when there are n units.
func (b *bucket) earliest(now time.Time, n int64) time.Time {
	at := now
	for b.free(at, &now) < n {
		at = at.Add(time.Millisecond)
	}
	return at
}

// pacedLedger is a ledger with one paced limit, beside its bucket by the definition.
type pacedLedger struct {
	*ledger.Ledger
	*bucket
	limit limits.Limit
	now   time.Time
	sent  []time.Time
}

const pacedServerDelay = 9 * time.Millisecond

func drawPaced(t *rapid.T, unit limits.Unit) *pacedLedger {
	const interval, delay = 4 * time.Millisecond, 6 * time.Millisecond
	p := &pacedLedger{now: begin, limit: limits.Limit{
		Name: "bucket", Kind: limits.Rolling, Max: 250, Window: time.Second, Unit: unit, Meter: priced, Most: 3, Counting: limits.TokenBucket,
		Burst: rapid.Int64Range(1, 6).Draw(t, "burst"), CountingDelay: delay,
	}}
	l, err := ledger.New(begin, []limits.Limit{p.limit}, limits.Guards{MaxServerDelay: pacedServerDelay, History: 25 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	p.Ledger, p.bucket = l, &bucket{size: p.limit.Burst, interval: interval, delay: delay}
	return p
}

// step charges a call, or ends the first that has no end yet.
func (p *pacedLedger) step(t *rapid.T) error {
	p.now = p.now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "pass")) * time.Millisecond)
	open := slices.IndexFunc(p.calls, func(c *bucketCall) bool { return c.open && c.end.IsZero() })
	what := rapid.SampledFrom([]string{"charge", "settle", "abandon", "refund"}).Draw(t, "what")
	if what == "charge" || open < 0 {
		n := rapid.Int64Range(1, 3).Draw(t, "units")
		p.calls, p.sent = append(p.calls, &bucketCall{units: n, open: true}), append(p.sent, p.now)
		return p.Charge(p.now, ledger.ID(len(p.calls)-1), p.Owner("a"), ledger.Cost{n}, ledger.NoRecord)
	}
	c := p.calls[open]
	if what == "refund" {
		c.units, c.open = 0, false
		return p.Refund(ledger.ID(open))
	}
	end := p.Settle
	c.end = p.now
	if what == "abandon" {
		c.end, end = p.now.Add(pacedServerDelay), p.Abandon
	}
	if p.limit.Unit == limits.Milliseconds {
		c.units = max(1, c.end.Sub(p.sent[open]).Milliseconds())
	}
	return end(ledger.ID(open), p.now)
}

// pass lets the present come.
func (p *pacedLedger) pass() {
	p.Advance(p.now)
	for _, c := range p.calls { // abandoned calls end later
		c.open = c.open && (c.end.IsZero() || c.end.After(p.now))
	}
}

// TestPaceIsABucket compares what a paced limit lets through, and from when on, with the definition: in calls, and in execution time that is corrected at the
// end.
func TestPaceIsABucket(t *testing.T) {
	for name, unit := range map[string]limits.Unit{"calls": limits.Calls, "milliseconds": limits.Milliseconds} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				p := drawPaced(t, unit)
				for step := range rapid.IntRange(1, 25).Draw(t, "steps") {
					if err := p.step(t); err != nil {
						t.Fatal(err)
					}
					p.pass()
					free := p.free(p.now, nil)
					if got := p.Free(0); got != free {
						t.Fatalf("step %d: %d are free, want %d", step, got, free)
					}
					n, want := rapid.Int64Range(1, p.limit.Burst).Draw(t, "asked for"), time.Time{}
					if free < n {
						want = p.earliest(p.now, n)
					}
					if got := p.EarliestPaced(0, n); !got.Equal(want) {
						t.Fatalf("step %d: %d units are let through at %s, want %s", step, n, got, want)
					}
				}
			})
		})
	}
}

// TestWithoutAPaceNothingIsEarly: a limit without one never holds back by it.
func TestWithoutAPaceNothingIsEarly(t *testing.T) {
	l := newLedger(t, minute)
	if at := l.EarliestPaced(0, 1000); !at.IsZero() {
		t.Errorf("the pace lets a call through at %s", at)
	}
}

// TestANewPaceStartsFromWhatIsKnown: of calls in flight, given up and ended as if it had been in force before; full only after all units have come back if
// calls are not known.
func TestANewPaceStartsFromWhatIsKnown(t *testing.T) {
	guards := exact
	exactly := limits.Limit{Name: "b", Kind: limits.Rolling, Max: 60, Window: time.Minute, Meter: priced, Most: 3}
	paced := exactly
	paced.Counting, paced.Burst = limits.TokenBucket, 10 // a unit each second
	for name, tc := range map[string]struct {
		before func(l *ledger.Ledger) error
		want   int64
	}{
		"nothing":   {func(*ledger.Ledger) error { return nil }, 10},
		"in flight": {func(l *ledger.Ledger) error { return l.Charge(begin, 1, l.Owner("a"), ledger.Cost{3}, ledger.NoRecord) }, 7},
		"given up": {func(l *ledger.Ledger) error {
			if err := l.Charge(begin, 1, l.Owner("a"), ledger.Cost{3}, ledger.NoRecord); err != nil {
				return err
			}
			return l.Abandon(1, begin)
		}, 7},
		"answered": {func(l *ledger.Ledger) error {
			if err := l.Charge(begin, 1, l.Owner("a"), ledger.Cost{3}, ledger.NoRecord); err != nil {
				return err
			}
			return l.Settle(1, begin)
		}, 9},
		"not known": {func(l *ledger.Ledger) error { return l.Restore(begin, nil, begin.Add(-time.Second)) }, 0},
	} {
		l, err := ledger.New(begin, []limits.Limit{exactly}, guards)
		if err != nil {
			t.Fatal(err)
		}
		if err := tc.before(l); err != nil {
			t.Fatal(err)
		}
		now := begin.Add(2 * time.Second)
		if err := l.SetLimits(now, []limits.Limit{paced}); err != nil {
			t.Fatal(err)
		}
		if got := l.Free(0); got != tc.want {
			t.Errorf("%s: %d are free, want %d", name, got, tc.want)
		}
		l.Advance(begin.Add(10 * time.Minute))
		if err := l.Charge(begin.Add(10*time.Minute), 2, l.Owner("a"), ledger.Cost{3}, ledger.NoRecord); err != nil {
			t.Fatal(err)
		}
		if got, want := l.Free(0), int64(7); got != want && name != "in flight" {
			t.Errorf("%s: ten minutes later %d are free, want %d", name, got, want)
		}
	}
}

// TestANewPaceFillsInItsTime when the calls before it were not known: unit by unit, from when it was declared.
func TestANewPaceFillsInItsTime(t *testing.T) {
	exactly := limits.Limit{Name: "b", Kind: limits.Rolling, Max: 60, Window: time.Minute}
	paced := exactly
	paced.Counting, paced.Burst = limits.TokenBucket, 10 // a unit each second
	l := newLedger(t, exactly)
	if err := l.Restore(begin, nil, begin.Add(-55*time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := l.SetLimits(begin.Add(2*time.Second), []limits.Limit{paced}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		after time.Duration
		want  int64
	}{{5*time.Second - 1, 0}, {5 * time.Second, 3}, {8 * time.Second, 6}, {12 * time.Second, 10}, {time.Minute, 10}} {
		l.Advance(begin.Add(tc.after))
		if got := l.Free(0); got != tc.want {
			t.Errorf("%s after the restart %d are free, want %d", tc.after, got, tc.want)
		}
	}
}

// TestAFullBucketReleasesNothing: with the last unit back, the next that time changes is the window.
func TestAFullBucketReleasesNothing(t *testing.T) {
	paced := limits.Limit{Name: "b", Kind: limits.Rolling, Max: 60, Window: time.Minute, Meter: priced, Counting: limits.TokenBucket, Burst: 10}
	l := newLedger(t, paced)
	answered(t, l, begin, 1, "a", 2)
	for _, tc := range []struct{ at, next time.Duration }{
		{0, time.Second}, {time.Second - 1, time.Second}, {time.Second, 2 * time.Second}, {2*time.Second - 1, 2 * time.Second}, {2 * time.Second, time.Minute},
	} {
		l.Advance(begin.Add(tc.at))
		if next, ok := l.NextRelease(); !ok || !next.Equal(begin.Add(tc.next)) {
			t.Errorf("after %s the next release is at %s, want %s", tc.at, next.Sub(begin), tc.next)
		}
	}
}

// TestARestoredBucketIsEmpty while calls that the ledger does not know may have taken from it, and only then.
func TestARestoredBucketIsEmpty(t *testing.T) {
	paced := limits.Limit{Name: "b", Kind: limits.Rolling, Max: 60, Window: time.Minute, Counting: limits.TokenBucket, Burst: 10}
	for name, tc := range map[string]struct {
		known time.Duration
		at    map[time.Duration]int64
	}{
		"nothing is known of the last minute": {time.Second, map[time.Duration]int64{0: 0, 59 * time.Second: 10}},
		"of most of it":                       {55 * time.Second, map[time.Duration]int64{0: 0, 5 * time.Second: 5, 7 * time.Second: 7, 10 * time.Second: 10}},
		"of all of it":                        {time.Minute, map[time.Duration]int64{0: 10}},
	} {
		for after, want := range tc.at {
			l, err := ledger.New(begin, []limits.Limit{paced}, exact)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Restore(begin, nil, begin.Add(-tc.known)); err != nil {
				t.Fatal(err)
			}
			l.Advance(begin.Add(after))
			if got := l.Free(0); got != want {
				t.Errorf("%s: %s after the restart %d are free, want %d", name, after, got, want)
			}
		}
	}
}
