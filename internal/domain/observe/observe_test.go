// SPDX-License-Identifier: Apache-2.0

package observe_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/domain/observe"
)

var begin = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func newMinute(size int64) *observe.Watch {
	return observe.New(limits.Limit{Name: "minute", Kind: limits.Rolling, Window: time.Minute, Max: size})
}

func at(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }

// word is of an answer that came at a second of the minute that began with the test, after a tenth.
func word(second float64, limit, left int64) observe.Word {
	return observe.Word{
		Began: at(second - .1), Ended: at(second), Limit: limit, Remaining: &left, Resets: at(60).Sub(at(second)), Units: 1,
		Own: observe.Own{Settled: 1},
	}
}

// hear tells words that all are of calls of ours which were answered one after the other.
func hear(w *observe.Watch, words ...observe.Word) {
	for n, word := range words {
		word.Own.Settled = int64(n + 1)
		w.Hear(word)
	}
}

func TestWhatIsLeftNarrowsAtOnceUntilItsReset(t *testing.T) {
	w := newMinute(400)
	hear(w, word(57, 400, 399), word(58, 400, 298))
	if got := w.Outside(at(58)); got < 100 || got > 120 {
		t.Errorf("of 400 are 298 left after two calls of ours: %d kept free for others, want 100 and what they use in two seconds", got)
	}
	if o, ok := w.Others(at(58)); !ok || o.Least != 100 || o.Most != 100 {
		t.Errorf("others have used %+v %t, want 100", o, ok)
	}
	if got := w.Renewed(at(58)); got.Before(at(60)) || got.After(at(62)) {
		t.Errorf("that is over at %s, want at the reset", got.Sub(begin))
	}
}

func TestCallsInFlightMakeAnInterval(t *testing.T) {
	w := newMinute(400)
	said := word(30, 400, 300)
	said.Own = observe.Own{Settled: 40, Open: 7}
	w.Hear(said)
	if o, _ := w.Others(at(30)); o.Least != 53 || o.Most != 60 {
		t.Errorf("of 100 used calls 40 are ours and 7 may be: others have used %+v, want 53 to 60", o)
	}
}

func TestALowerLimitNarrowsAtOnceAndIsBelievedLater(t *testing.T) {
	w := newMinute(400)
	for n := range 5 {
		if _, known := w.Reported(at(float64(n + 1))); known {
			t.Errorf("after %d answers the limit is believed", n)
		}
		hear(w, word(float64(n+1), 200, int64(199-n)))
	}
	if got, known := w.Reported(at(5)); !known || got != 200 {
		t.Errorf("reported are %d %t, want 200", got, known)
	}
	if got := w.Outside(at(5)); got < 200 {
		t.Errorf("as long as 400 are in force %d are kept free, want 200 at least", got)
	}
	w.SetMax(200)
	hear(w, word(6, 200, 194))
	if got := w.Outside(at(6)); got > 10 {
		t.Errorf("once 200 are in force %d are kept free", got)
	}
	hear(w, word(7, 100, 90))
	if got, _ := w.Reported(at(7)); got != 200 {
		t.Errorf("one answer has changed what is believed to %d", got)
	}
}

func TestWordsThatContradictThemselvesAreIgnored(t *testing.T) {
	for name, words := range map[string][]observe.Word{
		"more is left than there is":    {word(1, 400, 500), word(2, 400, 500), word(3, 400, 500)},
		"nothing is left, and yet more": {word(1, 400, 0), word(2, 400, 0), word(3, 400, 0), word(4, 400, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newMinute(400)
			hear(w, words...)
			if got := w.Outside(at(4)); !w.Contradicts(at(4)) || got != 0 {
				t.Errorf("%d are kept free for others; contradicts: %t", got, w.Contradicts(at(4)))
			}
			if _, ok := w.Others(at(4)); ok {
				t.Error("others are known")
			}
			if later := at(11 * 60); w.Contradicts(later) {
				t.Error("they are ignored for ever")
			}
		})
	}
}

func TestNothingLeftIsNoContradictionByItself(t *testing.T) {
	w := newMinute(400)
	hear(w, word(1, 400, 200), word(2, 400, 1), word(3, 400, 0))
	late := word(3.05, 400, 0) // sent before the answer that first said so
	w.Hear(late)
	if w.Contradicts(at(4)) {
		t.Error("the last call of a limit contradicts the one before")
	}
	if got := w.Outside(at(4)); got < 395 {
		t.Errorf("%d are kept free for others, want what is not ours", got)
	}
}

// crm is a CRM that counts, in windows that begin together or as time moves along.
type crm struct {
	fixed  bool
	size   int64
	window time.Duration
	ours   []time.Time
	others []time.Time
}

// counted is what it counts at a moment.
func (c *crm) counted(calls []time.Time, now time.Time) (n int64) {
	start := now.Add(-c.window)
	if c.fixed {
		start = now.Truncate(c.window).Add(-1)
	}
	for _, call := range calls {
		if call.After(start) && !call.After(now) {
			n++
		}
	}
	return n
}

// resets is the header: whole seconds, rounded up.
func (c *crm) resets(now time.Time) time.Duration {
	until := now.Truncate(c.window).Add(c.window).Sub(now)
	if !c.fixed {
		until = c.window
		for _, calls := range [][]time.Time{c.ours, c.others} {
			for _, call := range calls {
				if left := call.Add(c.window).Sub(now); left > 0 {
					until = min(until, left)
				}
			}
		}
	}
	return (until + time.Second - 1).Truncate(time.Second)
}

// TestTheTruthIsWithinTheBounds: in random worlds of a CRM with windows, whenever an answer has come others have used at least Least by now, and at most Most
// by the moment at which the CRM had counted the call.
func TestTheTruthIsWithinTheBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
		c := &crm{fixed: true, size: 1000, window: 10 * time.Second}
		w := observe.New(limits.Limit{Kind: limits.Rolling, Window: c.window, Max: c.size})
		type sent struct{ began, counted, ended time.Time }
		var ours []sent
		between := func(n int) time.Duration {
			return time.Duration(random.ExpFloat64() * float64(time.Minute) / float64(n))
		}
		mine, theirs := 1+random.IntN(300), 1+random.IntN(300)
		for now := begin; now.Before(at(60)); now = now.Add(between(mine)) {
			took := time.Duration(random.IntN(2000)) * time.Millisecond
			counted := now.Add(time.Duration(random.Float64() * float64(took)))
			ours = append(ours, sent{now, counted, now.Add(took)})
			c.ours = append(c.ours, counted)
		}
		for now := begin; now.Before(at(70)); now = now.Add(between(theirs)) {
			c.others = append(c.others, now)
		}
		slices.SortFunc(ours, func(a, b sent) int { return a.ended.Compare(b.ended) })
		most := int64(0)
		var window time.Time
		for n, call := range ours {
			this := call.counted.Truncate(c.window)
			if this.After(window) {
				window, most = this, 0
			}
			if this.Equal(window) {
				most = max(most, c.counted(c.others, call.counted))
			}
			open := int64(0)
			for _, other := range ours[n+1:] {
				if !other.began.After(call.ended) {
					open++
				}
			}
			left := c.size - c.counted(c.ours, call.counted) - c.counted(c.others, call.counted)
			w.Hear(observe.Word{
				Began: call.began, Ended: call.ended, Limit: c.size, Remaining: &left, Units: 1, Own: observe.Own{Settled: int64(n + 1), Open: open},
				Resets: c.resets(call.counted),
			})
			o, ok := w.Others(call.ended)
			if call.counted.Before(window) || call.ended.Truncate(c.window).After(window) || window.Equal(begin) {
				continue // a slow answer, of a window that is over; or the first, of which less is known
			}
			if !ok || o.Least > c.counted(c.others, call.ended) || o.Most < most {
				rt.Fatalf("after %s others have used %d, and %d by what was counted; the bounds are %+v %t", call.ended.Sub(begin),
					c.counted(c.others, call.ended), most, o, ok)
			}
		}
	})
}

// TestWhoForgetsCallByCallIsFoundOut: of a CRM whose window moves along the mean is found to a tenth, and nobody else is where nobody is.
func TestWhoForgetsCallByCallIsFoundOut(t *testing.T) {
	for name, perMinute := range map[string]int{"others make 120 calls a minute": 120, "nobody else calls": 0} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 1)) //nolint:gosec // repeatable on purpose
			c := &crm{size: 400, window: time.Minute}
			w := newMinute(c.size)
			for now := begin; perMinute > 0 && now.Before(at(1200)); {
				now = now.Add(time.Duration(random.ExpFloat64() * float64(time.Minute) / float64(perMinute)))
				c.others = append(c.others, now)
			}
			for now := begin; now.Before(at(1200)); now = now.Add(time.Second) {
				c.ours = append(c.ours, now)
				left := c.size - c.counted(c.ours, now) - c.counted(c.others, now)
				w.Hear(observe.Word{
					Began: now.Add(-time.Millisecond), Ended: now.Add(time.Millisecond), Limit: c.size, Remaining: &left, Units: 1, Resets: c.resets(now),
					Own: observe.Own{Settled: c.counted(c.ours, now)},
				})
			}
			o, ok := w.Others(at(1200))
			if off := o.PerWindow - int64(perMinute); !ok || off < -12 || off > 12 {
				t.Errorf("others are taken to use %+v %t of a minute, and use %d", o, ok, perMinute)
			}
			if got := w.Outside(at(1200)); got < int64(perMinute) || got > int64(2*perMinute+5) {
				t.Errorf("%d are kept free", got)
			}
		})
	}
}

// TestAForecastNeverTakesAll: where others have used everything, some calls still go, or nothing would show that they have stopped.
func TestAForecastNeverTakesAll(t *testing.T) {
	w := newMinute(100)
	for n := range 5 {
		left := int64(0)
		w.Hear(observe.Word{
			Began: at(float64(60*n + 54)), Ended: at(float64(60*n + 55)), Limit: 100, Remaining: &left, Resets: 5 * time.Second, Own: observe.Own{Settled: 1},
		})
	}
	if got := w.Outside(at(299)); got != 100 {
		t.Errorf("while nothing is left %d of 100 are kept free", got)
	}
	if got := w.Outside(at(303)); got != 90 {
		t.Errorf("once the window is over %d of 100 are kept free, want nine tenths", got)
	}
}

// TestWordsAreOver: without answers nothing is kept free for ever.
func TestWordsAreOver(t *testing.T) {
	w := newMinute(400)
	said := word(5, 400, 300)
	said.Resets = 0
	w.Hear(said)
	for _, second := range []float64{5, 66, 300} {
		if got := w.Outside(at(second)); got < 99 || got > 160 {
			t.Errorf("second %.0f: %d are kept free, want 99 and a margin", second, got)
		}
		if changes := w.Changes(at(second)); !changes.After(at(second)) {
			t.Errorf("second %.0f: that changes at %s", second, changes)
		}
	}
	if got := w.Outside(w.Changes(at(300))); got != 0 {
		t.Errorf("ten windows later %d are kept free", got)
	}
	if changes := w.Changes(at(666)); !changes.IsZero() {
		t.Errorf("nothing changes any more, but for %s", changes)
	}
}
