// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
)

// seeds is how many worlds a test run lives through.
const seeds = 50

// TestSimulation holds in every world: no limit is overrun, no acknowledged call is lost or done twice, those with an ordering key arrive in order,
// all that is queued drains.
func TestSimulation(t *testing.T) {
	for _, seed := range seedsOf(t, seeds) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := run(t, seed, choose(seed))
				if verbose() {
					t.Logf("%d promised, %d in order, %d decided: %v; %d arrivals, %d refused; limits %+v", v.promised, v.ordered, v.decided, v.states, v.report.Arrivals, v.report.Refusals, v.report.Limits)
				}
				v.check(t)
			})
		})
	}
}

// seedsOf are 1 to n, or the one that the environment names.
func seedsOf(t *testing.T, n uint64) (all []uint64) {
	t.Helper()
	if text := os.Getenv("SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SEED must be a number: %v", err)
		}
		return []uint64{seed}
	}
	for seed := uint64(1); seed <= n; seed++ {
		all = append(all, seed)
	}
	return all
}

// check reports every promise that was broken.
func (v *verdict) check(t *testing.T) {
	t.Helper()
	if v.overruns > 0 {
		t.Errorf("limits were overrun: %v", v.report.Problems())
	}
	if len(v.lost) > 0 {
		t.Errorf("acknowledged calls were lost: %v", v.lost)
	}
	if len(v.disorder) > 0 {
		t.Errorf("calls with ordering keys arrived in another order: %v", v.disorder)
	}
	for _, problem := range v.problems {
		t.Error(problem)
	}
}
