// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
)

// TestALongOutage: the CRM is away for longer than it remembers idempotency keys, while clients go on queueing, and comes back to a backlog. None of it is lost,
// done twice or sent out of order, and it drains as fast as the licence lets it. What is parked are calls that may have been executed and could be executed once
// more: those on their way when the outage began, and those few that probed it since.
func TestALongOutage(t *testing.T) {
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
				for r, n := range v.parkedFor { t.Log(n, r) }
				t.Logf("%d calls promised: %v; %d queued at the end of the outage; told %+v; the next call succeeded %s after it, the last %s", v.promised, v.states, v.backlogThen, v.told, v.recovery, v.drained)
			})
		})
	}
}
