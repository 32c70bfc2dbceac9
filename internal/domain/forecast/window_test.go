// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func TestWindow(t *testing.T) {
	for name, tc := range map[string]struct {
		limit limits.Limit
		// A call every second for this long, sent if it is, then nothing until at.
		asked, at time.Duration
		sent      bool

		wantExpected, wantSent int64
	}{
		"nothing was ever asked for": {limit: minute},
		"all was sent":               {limit: minute, asked: 2 * time.Minute, at: 2 * time.Minute, sent: true, wantExpected: 64, wantSent: 60},
		"all had to wait":            {limit: minute, asked: 2 * time.Minute, at: 2 * time.Minute, wantExpected: 64},
		"a pause is taken for one": {
			limit: minute, asked: 2 * time.Minute, at: 150 * time.Second, sent: true, wantExpected: 60, wantSent: 30,
		},
		"after a window without calls all may come again":  {limit: minute, asked: 2 * time.Minute, at: 4 * time.Minute, sent: true, wantExpected: 49},
		"a half-life later it is half as much":             {limit: minute, asked: 2 * time.Minute, at: 7 * time.Minute, sent: true, wantExpected: 32},
		"the rest of a day is not foreseen from its calls": {limit: day, asked: time.Minute, at: time.Minute},
		"slots are free again at once":                     {limit: slots, asked: time.Minute, at: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			d := forecast.NewDemand(tc.limit, nil)
			for after := time.Duration(0); after < tc.asked; after += time.Second {
				d.Ask(begin.Add(after), 1)
				if tc.sent {
					d.Send(begin.Add(after), 1)
				}
			}
			if expected, sent := d.Window(begin.Add(tc.at)); expected != tc.wantExpected || sent != tc.wantSent {
				t.Errorf("%d calls expected and %d sent, want %d and %d", expected, sent, tc.wantExpected, tc.wantSent)
			}
		})
	}
}
