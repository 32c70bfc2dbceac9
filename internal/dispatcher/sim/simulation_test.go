// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// seeds is how many worlds a test run lives through.
const seeds = 200

// chosenSeeds are the first and the last one: SEED in the environment is one of which everything is told, SEEDS are two with a hyphen between; else they are 1
// and n.
func chosenSeeds(t *testing.T, n uint64) (first, last uint64) {
	t.Helper()
	text := cmp.Or(os.Getenv("SEED"), os.Getenv("SEEDS"), fmt.Sprint("1-", n))
	from, to, isRange := strings.Cut(text, "-")
	first, err := strconv.ParseUint(from, 10, 64)
	if last = first; err == nil && isRange {
		last, err = strconv.ParseUint(to, 10, 64)
	}
	if err != nil {
		t.Fatalf("SEED must be a number, SEEDS two with a hyphen between: %v", err)
	}
	return first, last
}

// inWorlds calls live in a bubble for each of the chosen seeds: of n if none is.
func inWorlds(t *testing.T, n uint64, live func(t *testing.T, seed uint64)) {
	t.Helper()
	first, last := chosenSeeds(t, n)
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { live(t, seed) })
		})
	}
}

// TestSimulation holds in every world: no limit is overrun, no acknowledged call is lost or done twice, those with an ordering key arrive in order,
// all that is queued drains.
func TestSimulation(t *testing.T) {
	all := &sum{}
	t.Cleanup(func() { t.Log(all) })
	inWorlds(t, seeds, func(t *testing.T, seed uint64) {
		s := choose(seed)
		if seed%8 == 3 {
			s.fault, s.faultLasts = atLength(), s.load
		}
		v := run(t, seed, s)
		all.add(v)
		if verbose() {
			t.Logf("%d promised, %d in order, %d decided: %v; %d arrivals, %d refused; limits %+v",
				v.promised, v.ordered, v.decided, v.states, v.report.Arrivals, v.report.Refusals, v.report.Limits)
		}
		v.hold(t)
	})
}

// hold reports each broken promise.
func (v *verdict) hold(t *testing.T) {
	t.Helper()
	if v.overruns > 0 {
		t.Errorf("limits were overrun: %v", v.report.Problems())
	}
	if len(v.lost) > 0 {
		t.Errorf("acknowledged calls were lost: %v", v.lost)
	}
	if v.doubled > 0 {
		t.Errorf("%d tickets were made twice: %v", v.doubled, v.report.Tickets.Duplicates)
	}
	if v.uncharged > 0 {
		t.Errorf("%d requests arrived without a charge", v.uncharged)
	}
	if len(v.disorder) > 0 {
		t.Errorf("calls with ordering keys arrived in another order: %v", v.disorder)
	}
	for _, problem := range v.problems {
		t.Error(problem)
	}
}

// sum is what many worlds went through.
type sum struct {
	mu sync.Mutex

	worlds, promised, arrivals, parked, lost, doubled, overruns int
	happened                                                    happened
}

func (s *sum) add(v *verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worlds++
	s.promised += v.promised
	s.arrivals += v.report.Arrivals
	s.parked += v.parked()
	s.lost += len(v.lost)
	s.doubled += v.doubled
	s.overruns += v.overruns
	h := &s.happened
	h.crashes += v.happened.crashes
	h.doubt += v.happened.doubt
	h.pauses += v.happened.pauses
	h.steps += v.happened.steps
	h.diskErrors += v.happened.diskErrors
	h.ends += v.happened.ends
	h.failedStarts += v.happened.failedStarts
	h.full += v.happened.full
	h.restores += v.happened.restores
	h.forgotten += v.happened.forgotten
}

// String says it in two lines.
func (s *sum) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.happened
	return fmt.Sprintf("%d worlds: %d calls acknowledged, %d lost; %d requests at CRMs, %d tickets made twice, %d calls parked, %d overruns\n"+
		"they had %d losses of power with %d calls on their way, %d stops between decision and sending, %d times of day set, %d failed operations on disks, %d processes that ended by themselves, "+
		"%d failed starts, %d calls refused because a volume was full, %d volumes put back, which forgot %d calls",
		s.worlds, s.promised, s.lost, s.arrivals, s.doubled, s.parked, s.overruns,
		h.crashes, h.doubt, h.pauses, h.steps, h.diskErrors, h.ends, h.failedStarts, h.full, h.restores, h.forgotten)
}
