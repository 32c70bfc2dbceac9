// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

func background(t *testing.T, texts ...string) (all []Background) {
	t.Helper()
	for _, text := range texts {
		b, err := ParseBackground(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func TestOthersTakeOfTheSameLimits(t *testing.T) {
	config := Config{Limits: limits("minute=400/60s"), Background: background(t, "120/1m")}
	inBubble(t, config, func(w world) {
		w.sleep(10 * time.Minute)
		got := w.do(http.MethodGet, "/api/v2/users/me", "")
		others := w.sim.Report().Background
		// 1,200 on average; four standard deviations of a Poisson process to each side.
		if math.Abs(float64(others.Calls-1200)) > 4*math.Sqrt(1200) || others.Refused != 0 {
			w.Errorf("others made %d calls, %d of them refused", others.Calls, others.Refused)
		}
		if remaining := parse[int](w, answer{body: got.header.Get("X-Rate-Limit-Remaining")}); remaining > 310 || remaining < 240 {
			w.Errorf("%d calls are left besides 120 a minute of others", remaining)
		}
		if r := w.sim.Report(); r.Arrivals != 1 || r.Limits[0].Peak.Calls != 1 {
			w.Errorf("the judge holds the calls of others against the caller: %+v", r.Limits[0])
		}
	})
}

func TestOthersAreRefusedWhereNothingIsLeft(t *testing.T) {
	inBubble(t, Config{Limits: limits("minute=10/60s:fixed", "update=3/60s:fixed,operation=UpdateTicket")}, func(w world) {
		if err := w.sim.SetBackground(background(t, "20/1s", "20/1s,operation=UpdateTicket,credential=you@acme.test")); err != nil {
			w.Fatal(err)
		}
		w.sleep(time.Minute - time.Second)
		if others := w.sim.Report().Background; others.Calls-others.Refused != 10 || others.Calls < 2000 {
			w.Errorf("of %d calls %d were refused, want all but 10", others.Calls, others.Refused)
		}
		w.wantStatus(w.do(http.MethodGet, "/api/v2/users/me", ""), http.StatusTooManyRequests)
		if err := w.sim.SetBackground(nil); err != nil {
			w.Fatal(err)
		}
		before := w.sim.Report().Background
		w.sleep(time.Minute)
		w.wantStatus(w.do(http.MethodGet, "/api/v2/users/me", ""), http.StatusOK)
		if after := w.sim.Report().Background; after != before {
			w.Errorf("ended streams went on: %+v, then %+v", before, after)
		}
		w.sim.Reset()
		if others := w.sim.Report().Background; others.Calls != 0 {
			w.Errorf("%d calls of others are left after a reset", others.Calls)
		}
	})
}

func TestBackgroundSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"": "invalid", "0/1m": "must be 1 to", "5/1ms": "at least a second", "5/1m,who=me": `option "who" is unknown`,
	} {
		if _, err := ParseBackground(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
}

func TestHeadersMaySayMoreThanThereIs(t *testing.T) {
	inBubble(t, Config{Limits: limits("minute=2/60s,shown=400")}, func(w world) {
		for _, left := range []string{"399", "398", "398"} {
			got := w.do(http.MethodGet, "/api/v2/users/me", "")
			if got.header.Get("X-Rate-Limit") != "400" || got.header.Get("X-Rate-Limit-Remaining") != left {
				w.Errorf("headers say %s of %s, want %s of 400", got.header.Get("X-Rate-Limit-Remaining"), got.header.Get("X-Rate-Limit"), left)
			}
		}
		if refused := w.sim.Report().Refusals; refused != 1 {
			w.Errorf("%d calls were refused", refused)
		}
	})
}
