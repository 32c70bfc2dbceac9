// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// TestLimitHeadersTellOfTheShare: each header of the CRM's that tells of the licence tells of the share after the adapter has been at it, or is gone.
func TestLimitHeadersTellOfTheShare(t *testing.T) {
	simulatedOnly(t)
	for _, s := range suites {
		if len(s.shows) == 0 {
			continue
		}
		t.Run(s.provider, func(t *testing.T) {
			c := open(t, s, s.shown...)
			probe, _ := c.filled(s.probe)
			got := c.send(probe)
			for range 2 { // some tell only when half is used
				if got.header.Get(s.shows[0]) == "" {
					got = c.send(probe)
				}
			}
			shown := got.header.Clone()
			c.provider.ShowShare(shown, dialect.Share{Most: 4242, Left: 1717, Renews: 3 * time.Hour, Now: time.Now()})
			for _, name := range s.shows {
				switch told := got.header.Get(name); {
				case told == "":
					t.Errorf("the CRM does not send %s: %v", name, got.header)
				case shown.Get(name) == told:
					t.Errorf("%s still tells of the licence: %s", name, told)
				}
			}
			for name, values := range got.header {
				own := slices.ContainsFunc(s.shows, func(show string) bool { return http.CanonicalHeaderKey(show) == name })
				if !own && !slices.Equal(values, shown[name]) {
					t.Errorf("%s was changed, from %v to %v", name, values, shown[name])
				}
			}
		})
	}
}
