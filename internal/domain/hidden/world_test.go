// SPDX-License-Identifier: Apache-2.0

package hidden_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/hidden"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/domain/timeline"
)

var begin = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

const search = "Search"

// truth is the limit that the CRM keeps. It is code of its own: nothing of it is the learner's.
type truth struct {
	calls  int
	window time.Duration
	// fixed windows follow one another from the begin of time on; else the window moves along.
	fixed bool
	// tells: a refusal says when to come again, in whole seconds.
	tells bool
}

func (t truth) String() string {
	kind, tells := "rolling", "tells when"
	if t.fixed {
		kind = "fixed"
	}
	if !t.tells {
		tells = "does not tell when"
	}
	return fmt.Sprintf("%d in %s, %s, %s", t.calls, t.window, kind, tells)
}

// world is a CRM with a hidden limit, and a backlog of calls to it that never ends, or calls that come at random.
type world struct {
	timeline.Timeline
	truth
	random  *rand.Rand
	learner *hidden.Learner
	// counted are the calls that the CRM counts.
	counted []time.Time
	// broken, if set, says that a call is refused whatever the limit says.
	broken func() bool
	// every, if not 0, is how far apart calls come; of a backlog each fits as soon as the one before is on its way.
	every    time.Duration
	inFlight int
	// A refusal shuts the gate until a probe is taken.
	shut, probing  bool
	opens          time.Time
	failures       int
	newest, shutAt int
	tally
}

// tally counts what became of calls since it was begun.
type tally struct{ taken, refused int }

func newWorld(seed uint64, t truth) *world {
	w := &world{truth: t, random: rand.New(rand.NewPCG(seed, 1)), Timeline: timeline.Timeline{Now: begin}, learner: hidden.New(begin, limits.DefaultGuards())} //nolint:gosec // repeatable on purpose
	w.After(0, w.offer)
	return w
}

// run lets time pass and returns what became of calls meanwhile.
func (w *world) run(d time.Duration) tally {
	w.tally = tally{}
	w.RunUntil(w.Now.Add(d))
	return w.tally
}

// offer sends a call if nothing holds it back, and comes again. No more than eight a second are sent, and ten at a time.
func (w *world) offer() {
	again := time.Second / 8
	if w.every > 0 {
		again = time.Duration(w.random.ExpFloat64() * float64(w.every))
	}
	w.After(again, w.offer)
	if w.inFlight >= 10 || w.shut && (w.probing || w.Now.Before(w.opens)) {
		return
	}
	if _, held := w.learner.Held(search, w.Now); held {
		return
	}
	w.newest++
	w.inFlight++
	w.probing = w.shut
	call, probe, began := w.newest, w.shut, w.Now
	w.learner.Sent(search, w.Now)
	there := time.Duration(20+w.random.IntN(200)) * time.Millisecond
	w.After(there, func() {
		taken, retry := w.arrive()
		w.After(time.Duration(20+w.random.IntN(200))*time.Millisecond, func() { w.answered(call, probe, taken, began, retry) })
	})
}

// arrive is a call's arrival at the CRM.
func (w *world) arrive() (taken bool, retry time.Duration) {
	start := w.Now.Add(-w.window)
	if w.fixed {
		start = w.Now.Truncate(w.window).Add(-1)
	}
	for len(w.counted) > 0 && !w.counted[0].After(start) {
		w.counted = w.counted[1:]
	}
	if len(w.counted) >= w.calls || w.broken != nil && w.broken() {
		if w.tells && len(w.counted) > 0 {
			free := w.counted[0].Add(w.window)
			if w.fixed {
				free = w.Now.Truncate(w.window).Add(w.window)
			}
			retry = time.Duration(math.Ceil(free.Sub(w.Now).Seconds())) * time.Second
		}
		return false, retry
	}
	w.counted = append(w.counted, w.Now)
	return true, 0
}

func (w *world) answered(call int, probe, taken bool, began time.Time, retry time.Duration) {
	w.inFlight--
	if probe {
		w.probing = false
	}
	if taken {
		w.taken++
		w.learner.Taken(search, began, w.Now)
		if call > w.shutAt {
			w.shut, w.failures = false, 0
		}
		return
	}
	w.refused++
	w.learner.Refused(search, began, w.Now, retry)
	if w.shut && call <= w.shutAt {
		return
	}
	if retry == 0 {
		retry = max(time.Second, time.Duration(w.random.Float64()*float64(min(time.Minute, time.Second<<min(w.failures, 6)))))
	}
	w.shut, w.opens, w.shutAt = true, w.Now.Add(retry), w.newest
	w.failures++
}

// TestHiddenLimits: a limit that is hidden is learnt. From then on at most one call in a hundred is refused, and four fifths of what the CRM allows go through; with
// a window of five seconds, of which the guards and the way there are a larger part, seven tenths.
func TestHiddenLimits(t *testing.T) {
	for _, size := range []truth{
		{calls: 10, window: 5 * time.Second}, {calls: 10, window: 10 * time.Second}, {calls: 20, window: 30 * time.Second}, {calls: 30, window: time.Minute},
		{calls: 100, window: time.Minute}, {calls: 200, window: 10 * time.Minute}, {calls: 300, window: time.Hour},
	} {
		for kind := range 4 {
			size.fixed, size.tells = kind&1 > 0, kind&2 > 0
			t.Run(size.String(), func(t *testing.T) {
				for seed := range uint64(3) {
					w := newWorld(seed, size)
					learning := w.run(max(30*time.Minute, 12*size.window))
					l, learnt := w.learner.Of(search)
					if !learnt {
						t.Errorf("seed %d: nothing was learnt: %+v", seed, learning)
						continue
					}
					later := max(2*time.Hour, 20*size.window)
					after, allowed := w.run(later), float64(size.calls)*later.Seconds()/size.window.Seconds()
					share, refused := float64(after.taken)/allowed, float64(after.refused)/float64(after.taken+after.refused)
					t.Logf("seed %d: %d in %s, while learning %+v; then %.1f %% are refused, and %.0f %% of what is allowed go through",
						seed, l.Calls, l.Window, learning, 100*refused, 100*share)
					least := .8
					if size.window < 10*time.Second {
						least = .7
					}
					if refused > .01 || share < least {
						t.Errorf("seed %d: after learning %d in %s %.1f %% of calls are refused, and %.0f %% of what is allowed go through", seed, l.Calls, l.Window, 100*refused, 100*share)
					}
				}
			})
		}
	}
}

// TestVanishes: a limit that is gone is forgotten while calls press, and when nobody asks, after a day.
func TestVanishes(t *testing.T) {
	for _, pressing := range []bool{true, false} {
		for seed := range uint64(3) {
			w := newWorld(seed, truth{calls: 30, window: time.Minute})
			w.run(time.Hour)
			if _, learnt := w.learner.Of(search); !learnt {
				t.Fatal("nothing was learnt")
			}
			w.calls = math.MaxInt
			within := 6 * time.Hour
			if !pressing {
				w.every, within = 10*time.Minute, hidden.Expiry+time.Hour
			}
			w.run(within)
			if all := w.learner.Limits(w.Now); len(all) > 0 {
				t.Errorf("pressing %t, seed %d: after %s %+v are still believed", pressing, seed, within, all)
			}
		}
	}
}

// TestChanges: a limit that has become another is learnt anew, and hardly a call is refused from then on.
func TestChanges(t *testing.T) {
	for _, calls := range []int{10, 20, 45, 120} {
		for seed := range uint64(3) {
			w := newWorld(seed, truth{calls: 30, window: time.Minute})
			w.run(time.Hour)
			w.calls = calls
			w.run(8 * time.Hour)
			later := w.run(2 * time.Hour)
			if share := float64(later.taken) / float64(120*calls); later.refused*100 > later.taken || share < .8 {
				l, _ := w.learner.Of(search)
				t.Errorf("to %d, seed %d: %+v go through, %.0f %% of what is allowed; %+v is believed", calls, seed, later, 100*share, l)
			}
		}
	}
}

// TestNothingToLearn: refusals that have nothing to do with our calls teach nothing, however many there are. Calls come at random here, at very different rates.
func TestNothingToLearn(t *testing.T) {
	for name, broken := range map[string]func(w *world) func() bool{
		"at random": func(w *world) func() bool { return func() bool { return w.random.Float64() < .02 } },
		"bursts of others": func(w *world) func() bool { // each takes the rest of a limit, for up to a minute, every twenty minutes or so
			until, next := begin, begin
			return func() bool {
				for w.Now.After(next) {
					until = next.Add(time.Duration(w.random.Int64N(int64(time.Minute))))
					next = next.Add(time.Duration(w.random.ExpFloat64() * float64(20*time.Minute)))
				}
				return w.Now.Before(until)
			}
		},
		"outages": func(w *world) func() bool { // of half an hour, every few hours
			until, next := begin, begin
			return func() bool {
				for w.Now.After(next) {
					until = next.Add(30 * time.Minute)
					next = next.Add(time.Duration(w.random.ExpFloat64() * float64(5*time.Hour)))
				}
				return w.Now.Before(until)
			}
		},
	} {
		for _, every := range []time.Duration{200 * time.Millisecond, 2 * time.Second, 20 * time.Second, 3 * time.Minute} {
			t.Run(fmt.Sprintf("%s, a call each %s", name, every), func(t *testing.T) {
				for seed := range uint64(12) {
					w := newWorld(seed, truth{calls: math.MaxInt, window: time.Second})
					w.every, w.broken = every, broken(w)
					for range 40 { // by ten thousand calls and a day at most
						w.run(min(250*every, 36*time.Minute))
						if l, learnt := w.learner.Of(search); learnt {
							t.Errorf("seed %d: %d calls in %s were learnt from %d refusals", seed, l.Calls, l.Window, l.Refusals)
							break
						}
					}
				}
			})
		}
	}
}
