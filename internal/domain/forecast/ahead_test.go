// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func TestAhead(t *testing.T) {
	minute := limits.Limit{Kind: limits.Rolling, Window: time.Minute}
	for name, tc := range map[string]struct {
		limit limits.Limit
		// A call every second for this long, then nothing until at.
		asked, at time.Duration
		want      int64
	}{
		"nothing was ever asked for":                       {minute, 0, 0, 0},
		"a rising demand is not foreseen":                  {minute, 30 * time.Second, 30 * time.Second, 0},
		"a pause is taken for one":                         {minute, 2 * time.Minute, 2*time.Minute + 30*time.Second, 30},
		"after a window without calls all may come again":  {minute, 2 * time.Minute, 4 * time.Minute, 49},
		"a half-life later it is half as much":             {minute, 2 * time.Minute, 7 * time.Minute, 32},
		"the rest of a day is not foreseen from its calls": {limits.Limit{Kind: limits.CalendarDay, Location: time.UTC}, time.Minute, time.Minute, 0},
		"slots are free again at once":                     {limits.Limit{Kind: limits.Concurrent}, time.Minute, time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := forecast.NewDemand(tc.limit)
			for after := time.Duration(0); after < tc.asked; after += time.Second {
				d.Ask(begin.Add(after), 1)
			}
			if got := d.Ahead(begin.Add(tc.at)); got != tc.want {
				t.Errorf("%d calls ahead, want %d", got, tc.want)
			}
		})
	}
}
