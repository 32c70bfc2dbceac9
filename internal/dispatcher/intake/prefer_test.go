// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"testing"
	"time"
)

// FuzzPrefer: whatever a client prefers, it does not wait for longer than its integration does.
func FuzzPrefer(f *testing.F) {
	for _, seed := range []string{"respond-async, wait=10", `wait="5"; a=b`, "wait=-1", "wait=99999999999999999999", "wait=0,wait=60", "=,;=", "RESPOND-ASYNC"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p := preferencesOf(http.Header{"Prefer": {value}})
		for _, longest := range []time.Duration{0, time.Second, time.Minute} {
			for _, to := range []route{p.waiting(longest), p.queued(longest)} {
				if to.wait < 0 || to.wait > longest {
					t.Errorf("%q waits for %s of %s", value, to.wait, longest)
				}
			}
		}
	})
}
