// SPDX-License-Identifier: Apache-2.0

package observe_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/domain/observe"
)

func newDay() limits.Limit {
	return limits.Limit{Name: "day", Kind: limits.Rolling, Window: 24 * time.Hour, Max: 100_000}
}

// counter is a CRM that counts the calls of the last 24 hours.
type counter struct{ came []time.Time }

func (c *counter) used(now time.Time) (n int64) {
	for _, t := range c.came {
		if t.After(now.Add(-24*time.Hour)) && !t.After(now) {
			n++
		}
	}
	return n
}

// TestGrowthOfAWindowThatMovesAlong: before a whole window was seen what it forgets is taken to have come evenly, after that it is known. Here half of all calls come in
// the first six hours of a day.
func TestGrowthOfAWindowThatMovesAlong(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable on purpose
	var crm counter
	var perDay [4]int64
	for day := range perDay {
		for range 2000 {
			within := time.Duration(random.Int64N(int64(24 * time.Hour)))
			if random.IntN(2) == 0 {
				within /= 4
			}
			crm.came = append(crm.came, begin.Add(time.Duration(day)*24*time.Hour+within))
		}
	}
	s := observe.NewSurvey(newDay())
	for now := begin.Add(24 * time.Hour); now.Before(begin.Add(96 * time.Hour)); now = now.Add(5 * time.Minute) {
		used := crm.used(now)
		grown := s.See(observe.Look{At: now, Used: used + 30, Own: 30})
		perDay[int(now.Sub(begin)/(24*time.Hour))] += grown
		if others, known := s.Others(now); !known || others != used {
			t.Fatalf("%s: others are said to have used %d, %v, and have used %d", now, others, known, used)
		}
	}
	// Of the first day seen it is not known when what is forgotten had come: that what is too little at one time is too much at another does not quite cancel out.
	if perDay[1] < 1600 || perDay[1] > 2800 {
		t.Errorf("on the first day %d came anew, want 2,000 about", perDay[1])
	}
	for day, n := range perDay[2:] {
		if math.Abs(float64(n)-2000) > 40 {
			t.Errorf("on day %d %d came anew, want 2,000", day+2, n)
		}
	}
}

func TestGrowthOfADay(t *testing.T) {
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 1000}
	for name, test := range map[string]struct {
		looks []observe.Look
		want  int64
	}{
		"the first look tells nothing of when": {[]observe.Look{{At: at(0), Used: 100}}, 0},
		"what came since":                      {[]observe.Look{{At: at(0), Used: 100}, {At: at(300), Used: 130}}, 30},
		"not what was ours":                    {[]observe.Look{{At: at(0), Used: 100}, {At: at(300), Used: 130, Own: 10}}, 20},
		"a new day begins anew":                {[]observe.Look{{At: at(0), Used: 100}, {At: at(300), Used: 40}}, 40},
		"however much came since it began":     {[]observe.Look{{At: at(0), Used: 100, Resets: time.Minute}, {At: at(300), Used: 140}}, 140},
	} {
		t.Run(name, func(t *testing.T) {
			s := observe.NewSurvey(day)
			var got int64
			for _, l := range test.looks {
				got = s.See(l)
			}
			if got != test.want {
				t.Errorf("%d came anew, want %d", got, test.want)
			}
		})
	}
}

// TestADayThatIsOver: nothing is used of the next one as far as is known.
func TestADayThatIsOver(t *testing.T) {
	s := observe.NewSurvey(limits.Limit{Kind: limits.Calendar, Period: limits.Day, Max: 1000})
	s.See(observe.Look{At: at(0), Used: 100, Resets: time.Hour})
	for seconds, want := range map[float64]int64{60: 100, 3700: 0} {
		if got, known := s.Others(at(seconds)); !known || got != want {
			t.Errorf("after %.0f s others have used %d, %v, want %d", seconds, got, known, want)
		}
	}
	if got, known := s.Others(at(26 * 3600)); known {
		t.Errorf("a day later %d are said to be known", got)
	}
}

// TestShortWindowsAreAMean of what was seen of them, each as far as it had gone: the CRM counts 300 calls a minute that come evenly.
func TestShortWindowsAreAMean(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // repeatable on purpose
	s := observe.NewSurvey(limits.Limit{Kind: limits.Rolling, Window: time.Minute, Max: 400})
	if _, known := s.Others(at(0)); known {
		t.Error("before the first look something is known")
	}
	now := 0.0
	for range 100 {
		now += 30 + 60*random.Float64()
		gone := math.Mod(now, 60)
		s.See(observe.Look{At: at(now), Used: int64(5*gone) + 1, Own: 1, Resets: time.Duration((60 - gone) * float64(time.Second))})
	}
	if got, known := s.Others(at(now)); !known || got < 295 || got > 301 {
		t.Errorf("others use %d a minute, %v, want 300", got, known)
	}
	if got, known := s.Others(at(now + 2*3600)); known {
		t.Errorf("two hours later %d are said to be known", got)
	}
}

// TestWhatIsForgottenWhen: 240 were used in the 24 hours before the first look, evenly as far as is known, and 100 came an hour ago.
func TestWhatIsForgottenWhen(t *testing.T) {
	s := observe.NewSurvey(newDay())
	s.See(observe.Look{At: at(0), Used: 240})
	s.See(observe.Look{At: at(12 * 3600), Used: 220}) // 120 of which are forgotten: 100 came anew
	all := s.Expires(at(12*3600), 4)
	want := []observe.Expiry{{6 * time.Hour, 60}, {12 * time.Hour, 60}, {18 * time.Hour, 0}, {24 * time.Hour, 100}}
	for i, w := range want {
		if i >= len(all) || all[i] != w {
			t.Fatalf("got %v, want %v", all, want)
		}
	}
	if short := observe.NewSurvey(limits.Limit{Kind: limits.Rolling, Window: time.Minute, Max: 9}); short.Expires(at(0), 4) != nil {
		t.Error("a short window is foretold")
	}
}
