// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"flag"
	"iter"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestExhaustiveWorlds tries every history of a small size.
func TestExhaustiveWorlds(t *testing.T) {
	for name, tc := range map[string]struct {
		rules  [][]rule
		calls  int
		events [][]event
	}{
		"one limit, every delay":             {pairs(3, nil), 7, [][]event{nil}},
		"two limits, every delay":            {pairs(2, []rule{{3, 6}, {2, 4}}), 6, [][]event{nil}},
		"a window and slots, every delay":    {pairs(3, []rule{{1, 0}, {2, 0}}), 6, [][]event{nil}},
		"a call is given up":                 {pairs(3, nil), 6, abandonments(6)},
		"a crash at any moment":              {pairs(3, nil), 5, crashes(9)},
		"a crash with a window and slots":    {pairs(2, []rule{{2, 0}}), 4, crashes(6)},
		"another limit at any moment":        {pairs(3, nil), 5, changes(9)},
		"a call given up before another one": {pairs(2, nil), 5, both(abandonments(3), changes(7))},
		"a crash before another limit":       {pairs(2, nil), 4, both(crashes(4), changes(6))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worlds := 0
			for w := range space(tc.rules, fewer(tc.calls), tc.events) {
				for _, late := range []int{0, 1} {
					w.late, w.linger, w.release = late, 2, late
					mustKeep(t, w.truth())
					worlds++
				}
			}
			t.Logf("%d worlds", worlds)
		})
	}
}

// TestRandomWorlds draws histories that are too large to try them all.
func TestRandomWorlds(t *testing.T) {
	tenThousand(t)
	rapid.Check(t, randomWorld)
}

// FuzzLedgerWorlds looks for histories that take the ledger where those drawn by chance do not. The first ones are drawn; those that a draw was too short for
// are skipped.
func FuzzLedgerWorlds(f *testing.F) {
	for seed := range byte(8) {
		draws := make([]byte, 8<<10)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(draws) // never fails
		f.Add(draws)
	}
	f.Fuzz(rapid.MakeFuzz(randomWorld))
}

// randomWorld draws a history and lets it run.
func randomWorld(t *rapid.T) {
	window := rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 40))
	rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rule {
		return rule{rapid.IntRange(1, 20).Draw(t, "most"), window.Draw(t, "window")}
	}), 1, 3)
	calls := rapid.IntRange(1, 80).Draw(t, "calls")
	w := world{
		rules:   rules.Draw(t, "rules"),
		delays:  rapid.SliceOfN(rapid.IntRange(0, 5), calls, calls).Draw(t, "delays"),
		late:    rapid.IntRange(0, 2).Draw(t, "late"),
		linger:  rapid.IntRange(0, 10).Draw(t, "linger"),
		release: rapid.IntRange(0, 2).Draw(t, "release"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "events") {
		w.events = append(w.events, event{
			kind:   rapid.SampledFrom([]eventKind{giveUp, crash, change}).Draw(t, "kind"),
			at:     rapid.IntRange(0, 60).Draw(t, "at"),
			down:   rapid.IntRange(0, 20).Draw(t, "down"),
			proven: rapid.Bool().Draw(t, "proven"),
			rules:  rules.Draw(t, "other rules"),
		})
	}
	w = w.truth()
	w.guards.History = ticks(100)
	mustKeep(t, w)
}

// mustKeep fails unless the world has no overrun and its sender is not held back for longer than the definition of a charge allows.
func mustKeep(t interface {
	Helper()
	Fatalf(string, ...any)
}, w world) {
	t.Helper()
	calls, err := w.run()
	if err != nil {
		t.Fatalf("%+v: %v", w, err)
	}
	if overruns(w, calls) {
		t.Fatalf("overrun in %+v: %v", w, calls)
	}
	for n, c := range calls {
		if latest := latestSending(w, n); c.sent > latest {
			t.Fatalf("call %d was held back until %d, the limits allow %d in %+v: %v", n, c.sent, latest, w, calls)
		}
	}
}

// TestHistoryShorterThanANewWindow changes limits when the ledger has forgotten what the new one would count: it must then wait rather than guess.
func TestHistoryShorterThanANewWindow(t *testing.T) {
	for w := range space([][]rule{{{1, 3}}, {{2, 3}}}, fewer(6), changes(14)) {
		w = w.truth()
		w.guards.History = 0
		calls, err := w.run()
		if err != nil {
			t.Fatalf("%+v: %v", w, err)
		}
		if overruns(w, calls) {
			t.Fatalf("overrun in %+v: %v", w, calls)
		}
	}
}

// TestNegativeControls shows that the judge sees what it is there for: with each guard left out the same worlds have overruns, with it they have none.
func TestNegativeControls(t *testing.T) {
	for name, tc := range map[string]struct {
		with, without func(w world) world
		events        [][]event
	}{
		"charged for a window from the sending": {
			with:    func(w world) world { w.delays = constant(w.delays, 2); return w.truth() },
			without: func(w world) world { w.delays = constant(w.delays, 2); return w.truth().believing(-2) },
			events:  [][]event{nil},
		},
		"without the counting delay": {
			with:    func(w world) world { w.late = 1; return w.truth() },
			without: func(w world) world { w.late = 1; w = w.truth(); w.guards.CountingDelay = 0; return w },
			events:  [][]event{nil},
		},
		"without the longest server delay, when a call is given up": {
			with:    func(w world) world { w.linger = 2; return w.truth() },
			without: func(w world) world { w.linger = 2; w = w.truth(); w.guards.MaxServerDelay = 0; return w },
			events:  abandonments(3),
		},
		"without the longest server delay, after a crash": {
			with:    func(w world) world { w.linger = 2; return w.truth() },
			without: func(w world) world { w.linger = 2; w = w.truth(); w.guards.MaxServerDelay = 0; return w },
			events:  crashes(6),
		},
		"without the release of slots": {
			with: func(w world) world { w.rules = []rule{{1, 0}}; w.release = 1; return w.truth() },
			without: func(w world) world {
				w.rules = []rule{{1, 0}}
				w.release = 1
				w = w.truth()
				w.guards.SlotRelease = 0
				return w
			},
			events: [][]event{nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			for w := range space(pairs(2, nil), 4, tc.events) {
				mustKeep(t, tc.with(w))
				w = tc.without(w)
				calls, err := w.run()
				if err != nil {
					t.Fatalf("%+v: %v", w, err)
				}
				if overruns(w, calls) {
					found++
				}
			}
			if found == 0 {
				t.Error("the judge saw no overrun without the guard")
			}
			t.Logf("%d worlds with overruns", found)
		})
	}
}

// believing runs the ledger with windows that are longer by some ticks than the CRM's. The judge keeps to the CRM's.
func (w world) believing(longer int) world {
	w.skew = longer
	return w
}

// TestDriftingClock has a CRM whose clock is slow by a tenth, so that its window of ten ticks takes eleven of ours.
func TestDriftingClock(t *testing.T) {
	found := 0
	for w := range space([][]rule{{{1, 11}}, {{2, 11}}}, 5, [][]event{nil}) {
		w = w.truth().believing(-1)
		w.guards.DriftPPM = 100_000
		mustKeep(t, w)
		w.guards.DriftPPM = 0
		if calls, err := w.run(); err != nil {
			t.Fatal(err)
		} else if overruns(w, calls) {
			found++
		}
	}
	if found == 0 {
		t.Error("the judge saw no overrun without a guard for drift")
	}
}

// space is every world with these rules, numbers of calls with delays of 0 to 2 ticks, and events.
func space(rules [][]rule, calls int, events [][]event) iter.Seq[world] {
	histories := 1
	for range calls {
		histories *= 3
	}
	return func(yield func(world) bool) {
		for _, r := range rules {
			for _, e := range events {
				for n := range histories {
					delays := make([]int, calls)
					for i := range delays {
						delays[i] = n % 3
						n /= 3
					}
					if !yield(world{rules: r, delays: delays, events: e}) {
						return
					}
				}
			}
		}
	}
}

// fewer is how many of the calls are left with -short, which is for runs by the hundred: one call less makes a third of the worlds.
func fewer(calls int) int {
	if testing.Short() {
		return max(3, calls-2)
	}
	return calls
}

// pairs are all single rules of 1 to most calls in windows of 3 to 6 ticks, each together with each of the others if there are any.
func pairs(most int, others []rule) (rules [][]rule) {
	for n := 1; n <= most; n++ {
		for window := 3; window <= 6; window++ {
			if others == nil {
				rules = append(rules, []rule{{n, window}})
			}
			for _, other := range others {
				rules = append(rules, []rule{{n, window}, other})
			}
		}
	}
	return rules
}

func abandonments(calls int) (events [][]event) {
	for n := range calls {
		events = append(events, []event{{kind: giveUp, at: n}})
	}
	return events
}

func crashes(ticks int) (events [][]event) {
	for at := range ticks {
		events = append(events,
			[]event{{kind: crash, at: at, down: 0, proven: true}},
			[]event{{kind: crash, at: at, down: 3, proven: true}},
			[]event{{kind: crash, at: at, down: 3, proven: false}})
	}
	return events
}

func changes(ticks int) (events [][]event) {
	for at := range ticks {
		for _, rules := range [][]rule{{{1, 4}}, {{2, 6}}, {{3, 3}, {2, 5}}, {{1, 0}, {2, 4}}} {
			events = append(events, []event{{kind: change, at: at, rules: rules}})
		}
	}
	return events
}

func both(a, b [][]event) (events [][]event) {
	for _, first := range a {
		for _, second := range b {
			events = append(events, append(append([]event{}, first...), second...))
		}
	}
	return events
}

func constant(delays []int, delay int) []int {
	same := make([]int, len(delays))
	for i := range same {
		same[i] = delay
	}
	return same
}

// tenThousand has rapid try ten thousand worlds, unless it was told how many, or to be short.
func tenThousand(t *testing.T) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue && !testing.Short() {
		if err := flag.Set("rapid.checks", "10000"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set("rapid.checks", before) })
	}
}
