// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

var targets = forecast.Targets{Waiting: 8 * time.Second, Queued: time.Hour}

// bursts asks for some calls at once, again and again.
func bursts(a *forecast.Advisor, days int, every time.Duration, calls int64, queued bool) (end time.Time) {
	end = monday.AddDate(0, 0, days)
	for now := monday; now.Before(end); now = now.Add(every) {
		a.Ask(now, calls, queued)
	}
	a.Advance(end)
	return end
}

func TestAdvice(t *testing.T) {
	notShort(t)
	perMinute := func(most int64) limits.Limit {
		return limits.Limit{Name: "minute", Kind: limits.Rolling, Max: most, Window: time.Minute}
	}
	perDay := limits.Limit{Name: "day", Kind: limits.Calendar, Max: 1000, Period: limits.Day, Location: time.UTC}
	atATime := limits.Limit{Name: "slots", Kind: limits.Concurrent, Max: 4}
	tiers := []forecast.Tier{
		{Name: "small", Limits: map[string]int64{"minute": 50, "day": 1000}}, {Name: "middle", Limits: map[string]int64{"minute": 110, "day": 3000}},
		{Name: "large", Limits: map[string]int64{"minute": 400, "day": 20_000}},
	}
	for name, tc := range map[string]struct {
		limit  limits.Limit
		demand func(a *forecast.Advisor)

		adequate bool
		// The size that is needed, to a fifth; 0 is not checked.
		needed int64
		tier   string
		queued bool
	}{
		"bursts that fit": {
			perMinute(100), func(a *forecast.Advisor) { bursts(a, 3, 10*time.Minute, 90, false) }, true, 0, "middle", false,
		},
		"bursts that do not": {
			perMinute(40), func(a *forecast.Advisor) { bursts(a, 3, 10*time.Minute, 100, false) }, false, 100, "middle", false,
		},
		"the burst of a queue may take longer": {
			perMinute(40), func(a *forecast.Advisor) { bursts(a, 3, 10*time.Minute, 100, true) }, true, 0, "small", false,
		},
		"a queue that grows for ever": {
			perMinute(40), func(a *forecast.Advisor) { bursts(a, 3, 10*time.Minute, 600, true) }, false, 60, "middle", true,
		},
		"calls of people go before a queue": {
			perMinute(100), func(a *forecast.Advisor) {
				for i := range 2 * 24 * 60 {
					now := monday.Add(time.Duration(i) * time.Minute)
					if i%10 == 0 {
						a.Ask(now, 500, true)
					}
					a.Ask(now.Add(5*time.Second), 15, false)
				}
			}, true, 0, "middle", false,
		},
		"a day that is too short": {
			perDay, func(a *forecast.Advisor) { bursts(a, 5, time.Minute, 1, false) }, false, 1400, "middle", false,
		},
		"a day that is enough": {
			perDay, func(a *forecast.Advisor) { bursts(a, 5, 2*time.Minute, 1, false) }, true, 0, "small", false,
		},
		"slots that are held too long": {
			atATime, func(a *forecast.Advisor) { bursts(a, 2, time.Minute, 8*60_000, false) }, false, 0, "", false,
		},
		"more than any that is known": {
			perMinute(100), func(a *forecast.Advisor) { bursts(a, 2, 10*time.Minute, 5000, false) }, false, 0, "", false,
		},
		"few bursts in many calls may be late": {
			perMinute(100), func(a *forecast.Advisor) {
				a.Ask(monday, 150, false)
				bursts(a, 3, time.Minute, 40, false)
			}, true, 0, "small", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := forecast.NewAdvisor(tc.limit, targets)
			tc.demand(a)
			advice, ok := forecast.Advise([]*forecast.Advisor{a}, tiers, true)
			if !ok || advice.Adequate != tc.adequate || advice.Queued != tc.queued || advice.Tier != tc.tier {
				t.Errorf("Advise() = %+v, %t, want adequate %t, tier %q, queued %t", advice, ok, tc.adequate, tc.tier, tc.queued)
			}
			if n := advice.Needed; tc.needed > 0 && (n < tc.needed*19/20 || n > tc.needed*6/5) || advice.Adequate != (advice.Limit == "") {
				t.Errorf("limit %q needs %d, want about %d", advice.Limit, n, tc.needed)
			}
		})
	}
}

// TestWaitsAreThoseOfAQueue compares the wait that is told with a queue that is simulated call by call: the p95 is right to a bin and two steps.
func TestWaitsAreThoseOfAQueue(t *testing.T) {
	const most = 60
	r := rand.New(rand.NewPCG(3, 3))
	a := forecast.NewAdvisor(limits.Limit{Name: "minute", Kind: limits.Rolling, Max: most, Window: time.Minute}, targets)
	var sent []time.Time
	calls, late := 0, 0
	var waits []time.Duration
	for now := monday; now.Before(monday.AddDate(0, 0, 2)); now = now.Add(time.Second) {
		n := 0
		for rate := 0.25; r.Float64() < rate; rate /= 1.6 {
			n += 1 + r.IntN(3)
		}
		if r.IntN(600) == 0 {
			n += 40
		}
		a.Ask(now, int64(n), false)
		for range n {
			at := now
			if len(sent) >= most {
				if free := sent[len(sent)-most].Add(time.Minute); free.After(at) {
					at = free
				}
			}
			sent = append(sent, at)
			calls++
			waits = append(waits, at.Sub(now))
			if at.Sub(now) > targets.Waiting {
				late++
			}
		}
	}
	advice, ok := forecast.Advise([]*forecast.Advisor{a}, nil, true)
	exact := quantile(waits, 0.95)
	t.Logf("of %d calls %.3f are late, p95 %s, told %s", calls, float64(late)/float64(calls), exact, advice.Wait)
	if !ok || advice.Wait < exact-5*time.Second || advice.Wait > exact*3/2+5*time.Second {
		t.Errorf("told a p95 of %s, it is %s", advice.Wait, exact)
	}
	if adequate := float64(late) <= 0.05*float64(calls); advice.Adequate != adequate {
		t.Errorf("adequate is %t, want %t", advice.Adequate, adequate)
	}
}

func TestAdviceNeedsADay(t *testing.T) {
	a := forecast.NewAdvisor(minute, targets)
	for now := monday; now.Before(monday.Add(23 * time.Hour)); now = now.Add(time.Minute) {
		a.Ask(now, 500, false)
	}
	if advice, ok := forecast.Advise([]*forecast.Advisor{a}, nil, true); ok {
		t.Errorf("after 23 hours there is advice: %+v", advice)
	}
	if advice, ok := forecast.Advise(nil, nil, true); ok {
		t.Errorf("without limits there is advice: %+v", advice)
	}
}

// TestAdviceDoesNotFlip: a part of late calls between the two thresholds leaves it as it was, and what was long ago is forgotten.
func TestAdviceDoesNotFlip(t *testing.T) {
	notShort(t)
	a := forecast.NewAdvisor(minute, targets)
	now := monday
	for i := range 2 * 24 * 60 {
		calls := int64(10)
		if i%200 == 0 {
			calls = 195 // half of which are late: about 100 of 2185
		}
		a.Ask(now, calls, false)
		now = now.Add(time.Minute)
	}
	for _, before := range []bool{true, false} {
		if advice, ok := forecast.Advise([]*forecast.Advisor{a}, nil, before); !ok || advice.Adequate != before {
			t.Errorf("adequate was %t, is %t", before, advice.Adequate)
		}
	}
	for range 15 * 24 * 60 {
		a.Ask(now, 10, false)
		now = now.Add(time.Minute)
	}
	if advice, ok := forecast.Advise([]*forecast.Advisor{a}, nil, false); !ok || !advice.Adequate {
		t.Errorf("two weeks without late calls it is %+v", advice)
	}
}

func TestAdviceKnowsANewSize(t *testing.T) {
	a := forecast.NewAdvisor(minute, targets)
	bursts(a, 2, 10*time.Minute, 150, false)
	if advice, _ := forecast.Advise([]*forecast.Advisor{a}, nil, true); advice.Adequate {
		t.Error("100 a minute are enough for 150")
	}
	a.SetMax(200)
	if advice, ok := forecast.Advise([]*forecast.Advisor{a}, nil, false); !ok || !advice.Adequate {
		t.Errorf("200 a minute are not enough for 150: %+v", advice)
	}
	if l := a.Limit(); l.Max != 200 {
		t.Errorf("the limit is %d, want 200", l.Max)
	}
}

func TestBatched(t *testing.T) {
	for name, tc := range map[string]struct {
		queued []forecast.Batchable
		want   int64
	}{
		"nothing":        {nil, 0},
		"full batches":   {[]forecast.Batchable{{1000, 100}}, 990},
		"a part of one":  {[]forecast.Batchable{{101, 100}}, 99},
		"each by itself": {[]forecast.Batchable{{50, 100}, {50, 100}}, 98},
		"no batches":     {[]forecast.Batchable{{50, 1}, {50, 0}, {-1, 10}}, 0},
	} {
		if got := forecast.Batched(tc.queued); got != tc.want {
			t.Errorf("%s: %d saved, want %d", name, got, tc.want)
		}
	}
}

// TestADayIsLetThroughOnceADay: a queue that grows each day is late in the end, also if what is left of it goes first at midnight.
func TestADayIsLetThroughOnceADay(t *testing.T) {
	a := forecast.NewAdvisor(day, forecast.Targets{Waiting: 8 * time.Second, Queued: 24 * time.Hour})
	bursts(a, 10, time.Minute, 1, true)
	advice, ok := forecast.Advise([]*forecast.Advisor{a}, nil, true)
	if !ok || advice.Adequate || !advice.Queued || advice.Needed < 1200 || advice.Needed > 1500 {
		t.Errorf("for 1,440 queued calls a day 1,000 a day are said to be %+v", advice)
	}
}
