// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func dayOf() limits.Limit {
	return limits.Limit{Name: "day", Kind: limits.Calendar, Max: 1000, Period: limits.Day, Location: time.UTC}
}

// TestOneForecastInEachPartOfAPeriod: each of 24 parts has one check, which is due until it was made, and again when the period is over.
func TestOneForecastInEachPartOfAPeriod(t *testing.T) {
	r := newRenewal(dayOf())
	for date := range 3 {
		for hour := range 24 {
			now := monday0.AddDate(0, 0, date).Add(time.Duration(hour)*time.Hour + time.Duration(hour)*time.Minute)
			due := r.advance(now)
			if due != &r.checks[hour] {
				t.Fatalf("on day %d, hour %d the check of another hour is due: %p", date, hour, due)
			}
			r.note(due, 10, 20)
			if again := r.advance(now.Add(time.Second)); again != nil {
				t.Fatalf("on day %d, hour %d one is due twice", date, hour)
			}
			if int(due.seen) != date || r.checks[23-hour/2].seen > uint8(date) {
				t.Fatalf("on day %d, hour %d the check was made %d times before", date, hour, due.seen)
			}
		}
	}
	if start := monday0.AddDate(0, 0, 2); !r.start.Equal(start) || !r.end.Equal(start.AddDate(0, 0, 1)) {
		t.Errorf("the period is from %s to %s", r.start, r.end)
	}
	// An instant that goes back is of the first part, one past the end would be of the last.
	if r.check(monday0) != &r.checks[0] || r.check(monday0.AddDate(0, 0, 9)) != &r.checks[23] {
		t.Error("instants outside of the period have no check of it")
	}
}

// TestChecksAreHeldAgainstTheOutcome: what was asked for from the check to the end of the period.
func TestChecksAreHeldAgainstTheOutcome(t *testing.T) {
	r := newRenewal(dayOf())
	early := r.advance(monday0.Add(time.Hour))
	r.note(early, 100, 100+1.645*20)
	r.asked += 30
	late := r.advance(monday0.Add(12 * time.Hour))
	r.note(late, 50, 50)
	r.asked += 85
	if !near(float64(early.p50), 100) || early.before != 0 || late.before != 30 {
		t.Fatalf("the checks are of %v after %v, and after %v", early.p50, early.before, late.before)
	}
	spreads := [2]float64{math.Sqrt(0.05 + 20*20), math.Sqrt(0.05)}
	for i, c := range []*check{early, late} {
		if math.Abs(float64(c.spread)-spreads[i]) > 1e-4*spreads[i] {
			t.Errorf("the spread of check %d is %v, want %v", i, c.spread, spreads[i])
		}
	}
	want := r.residuals
	want[groupOf(100, float64(early.spread))].observe((115.-100)/float64(early.spread), 28*24, 0.0005)
	want[groupOf(50, float64(late.spread))].observe((85.-50)/float64(late.spread), 28*24, 0.0005)
	if due := r.advance(monday0.Add(24 * time.Hour)); due != &r.checks[0] || r.residuals != want {
		t.Error("at the end the checks were not counted among the residuals")
	}
	if early.square != 15*15 || late.square != 35*35 || early.seen != 1 || late.seen != 1 || early.made || r.checks[5].seen != 0 {
		t.Errorf("off by squares of %v and %v in %d and %d periods", early.square, late.square, early.seen, late.seen)
	}
}

// TestTheSpreadOfACheck is that of the periods seen, up to 33 of them, and of what the history says, which counts as two.
func TestTheSpreadOfACheck(t *testing.T) {
	for name, tc := range map[string]struct {
		seen   uint8
		square float32
		own    float64 // the history's standard deviation
		want   float64
	}{
		"none was seen":         {0, 0, 7, 49},
		"two were":              {2, 100, 4, (2*100 + 2*16) / 4.},
		"the history has none":  {8, 50, 0, 8 * 50 / 10.},
		"many were":             {200, 30, 6, (30*100/3. + 2*36) / (100/3. + 2)},
		"nothing was off":       {9, 0, 0, 0},
		"next to nothing, once": {1, 3, 0, 1},
	} {
		c := check{seen: tc.seen, square: tc.square}
		if got := c.spreadOf(5, 5+1.645*tc.own); math.Abs(got-math.Sqrt(0.05+tc.want)) > 1e-3 {
			t.Errorf("%s: the spread is %v, want %v", name, got, math.Sqrt(0.05+tc.want))
		}
	}
	c := check{}
	newRenewal(dayOf()).note(&c, 1e40, 1e300)
	if c.p50 != mostSquare || c.spread != mostSquare {
		t.Errorf("noted are %v with a spread of %v, want %v at most", c.p50, c.spread, float32(mostSquare))
	}
}

// TestP95IsCorrected by what forecasts at this time of the period were off by; the history's own counts three tenths.
func TestP95IsCorrected(t *testing.T) {
	r := newRenewal(dayOf())
	noon := monday0.Add(12*time.Hour + time.Minute)
	r.advance(noon)
	c := &r.checks[12]
	c.seen, c.square = 10, 400
	spread := c.spreadOf(100, 130)
	for z, want := range map[float32]float64{2: 0.3*130 + 0.7*(100+2*spread), 0: 0.3*130 + 0.7*100, -9: 100} {
		r.residuals[groupOf(100, spread)].p95 = z
		if got := r.correct(noon, 100, 130); math.Abs(got-want) > 1e-3 {
			t.Errorf("p95 is corrected from 130 to %v, want %v", got, want)
		}
	}
}
