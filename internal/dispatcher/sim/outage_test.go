// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// TestALongOutage: the CRM is away for longer than it remembers idempotency keys, while clients go on queueing, and comes back to a backlog. None of it is lost,
// done twice or sent out of order, and it drains as fast as the licence lets it. What is parked are calls that may have been executed and could be executed once
// more: those on their way when the outage began, or when the power was lost, and the few that probed it until their keys were too old.
func TestALongOutage(t *testing.T) {
	const mostParked = 40
	for name, f := range map[string]*fault{
		"503":                           says(http.StatusServiceUnavailable, "", "Retry-After", "60"),
		"no answer, calls are executed": spoils(func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) { untilGone(w, r) }),
		"the connection breaks, calls are executed": spoils(func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) { breakOff(w, r) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty(1)
				s.fault, s.faultLasts, s.load, s.crashes = f, forgetting, s.faultAfter+forgetting, 1
				v := run(t, 1, s)
				v.hold(t)
				t.Logf("%d calls promised, %d queued at the end of the outage: %v; the next call succeeded %s after it, the last one %s",
					v.promised, v.backlogThen, v.states, v.recovery, v.drained)
				if v.backlogThen < 1000 {
					t.Errorf("only %d calls are queued at the end of the outage", v.backlogThen)
				}
				if v.recovery == 0 || v.recovery > 2*time.Minute+time.Second {
					t.Errorf("the next call succeeded %s after the outage, want it within the longest pause, and the time for which an answer is waited for", v.recovery)
				}
				if most := time.Duration(v.backlogThen/s.plan.Limits[0].Calls+3) * (time.Minute + 2*time.Second); v.drained-v.recovery > most {
					t.Errorf("%d calls took %s to drain from the first on, want at most %s", v.backlogThen, v.drained-v.recovery, most)
				}
				if v.parked() > mostParked {
					t.Errorf("%d calls are parked, want at most %d", v.parked(), mostParked)
				}
			})
		})
	}
}
