// SPDX-License-Identifier: Apache-2.0

package callbacks

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPausesGrowToTheirBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		for name, pause := range map[string]func(int) time.Duration{"retry": retryPause, "probe": probePause} {
			if a, b := pause(n), pause(n+1); a <= 0 || b < a || b > lastRetry {
				t.Errorf("%s: pause %d is %s, and the next one %s", name, n, a, b)
			}
		}
	})
	if got := []time.Duration{retryPause(1), retryPause(2), retryPause(20)}; got[0] != firstRetry || got[1] != 4*firstRetry || got[2] != lastRetry {
		t.Errorf("the pauses are %v", got)
	}
	if got := []time.Duration{probePause(1), probePause(2), probePause(20)}; got[0] != firstProbe || got[1] != 2*firstProbe || got[2] != lastProbe {
		t.Errorf("the pauses are %v", got)
	}
}
