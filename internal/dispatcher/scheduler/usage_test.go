// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Usage implements Provider: the CRM of a test tells of its limits in the headers of all answers.
func (testDialect) Usage() (dialect.Usage, bool) {
	return dialect.Usage{Ask: dialect.Request{Method: http.MethodGet, Target: "/me"}, Every: time.Minute}, true
}

// tells is a dialect in which the answer to a call of its own tells of the day, and of applications.
type tells struct{ testDialect }

type toldDay struct {
	Limit, Left int64
	Resets      int
	Apps        map[string]int64
}

// Usage implements Provider.
func (tells) Usage() (dialect.Usage, bool) {
	return dialect.Usage{
		Ask: dialect.Request{Method: http.MethodGet, Target: "/limits"}, Every: 5 * time.Minute,
		Read: func(body []byte, _ time.Time) []dialect.Reading {
			var day toldDay
			if json.Unmarshal(body, &day) != nil {
				return nil
			}
			r := dialect.Reading{Window: 24 * time.Hour, Limit: day.Limit, Remaining: &day.Left, Resets: time.Duration(day.Resets) * time.Second}
			for name, used := range day.Apps {
				r.Apps = append(r.Apps, dialect.AppUse{Name: name, Used: used})
			}
			return []dialect.Reading{r}
		},
	}, true
}

func (d toldDay) answer() answer {
	body, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return answer{status: http.StatusOK, body: string(body)}
}

// asking asks what has been used, of a thousand calls a minute and a hundred thousand in 24 hours.
func asking(sequence int64, seconds int64, change ...func(*contract.Plan)) *contract.Plan {
	return plan(sequence, append([]func(*contract.Plan){func(p *contract.Plan) {
		p.UsageSeconds = seconds
		p.Limits = []contract.Limit{{Name: "minute", Calls: 1000, WindowSeconds: 60}, {Name: "day", Calls: 100_000, WindowSeconds: 86400}}
	}}, change...)...)
}

func observing(p *contract.Plan) { p.Observe, p.Enforce = true, false }

// asked counts the calls that ask.
func (c *crm) asked(target string) (n int) {
	for _, t := range c.targets() {
		if t == target {
			n++
		}
	}
	return n
}

// TestUsageIsAskedForAtItsPace, about, and by nobody's share.
func TestUsageIsAskedForAtItsPace(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		b.apply(asking(2, 300))
		time.Sleep(24 * time.Hour)
		snap := b.snap()
		if n := b.crm.asked("/limits"); n < 250 || n > 330 || int64(n) != snap.UsageCalls {
			t.Errorf("asked %d times in a day, and %d are counted, want about 288", n, snap.UsageCalls)
		}
		if u := snap.Usage; u == nil || *u != (contract.UsageReport{Call: "GET /limits", Status: 200}) {
			t.Errorf("the last answer is reported as %+v", u)
		}
		x := snap.Integrations[0]
		if w := snap.Windows[1]; w.Used < 250 || x.Windows[1].Used != 0 || x.Counters != (contract.IntegrationCounters{}) {
			t.Errorf("the day is %+v, and a/x has used %+v of it", w, x.Windows[1])
		}
	})
}

// TestAskingTakesAHundredthAtMost of any limit, however often it is declared.
func TestAskingTakesAHundredthAtMost(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		b.apply(asking(2, 10, func(p *contract.Plan) { p.Limits[1].Calls = 1000 }))
		time.Sleep(10 * 24 * time.Hour)
		if n := b.crm.asked("/limits"); n < 85 || n > 115 {
			t.Errorf("asked %d times in ten days of a thousand calls, want about a hundred", n)
		}
	})
}

// TestWhereHeadersTellNobodyAsks as long as there are answers.
func TestWhereHeadersTellNobodyAsks(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.reply = func(*call.Call) answer { return says(http.StatusOK, 1000, 900, 30*time.Second) }
		b.do(read("/a"), 0)
		b.apply(asking(2, 60))
		for range 20 {
			time.Sleep(30 * time.Second)
			b.do(read("/a"), 0)
		}
		busy := b.crm.asked("/me")
		time.Sleep(10 * time.Minute)
		if idle := b.crm.asked("/me") - busy; busy > 1 || idle < 4 {
			t.Errorf("asked %d times while there were other answers, and %d times in ten minutes without", busy, idle)
		}
	})
}

// TestAskingNeverTakesTheLastCalls, nor what is never lent, nor anything while the CRM refuses calls or nothing is to be sent.
func TestAskingNeverTakesTheLastCalls(t *testing.T) {
	used := func(n int) func(*contract.Plan) {
		return func(p *contract.Plan) {
			p.Limits = []contract.Limit{{Name: "minute", Calls: int64(n), WindowSeconds: 60}}
			p.Integrations[0].Share.GuaranteedPercent = 0
		}
	}
	for name, test := range map[string]struct {
		change func(*contract.Plan)
		asks   bool
	}{
		"with two left":     {used(5), true},
		"with the last one": {used(4), false},
		"what is never lent": {func(p *contract.Plan) {
			used(9)(p)
			p.Integrations[0].Share = contract.Share{Part: contract.Part{GuaranteedPercent: 100, MaxPercent: 100}, Weight: 1}
		}, false},
		"nothing is to be sent": {func(p *contract.Plan) { used(100)(p); p.Hold = true }, false},
		"never":                 {func(p *contract.Plan) { used(100)(p); p.UsageSeconds = 0 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.dialect = tells{}
				for range 3 {
					b.do(read("/a"), 0)
				}
				b.apply(asking(2, 60, test.change))
				time.Sleep(30 * time.Second)
				if asks := b.crm.asked("/limits") > 0; asks != test.asks {
					t.Errorf("asks: %v, want %v", asks, test.asks)
				}
			})
		})
	}
}

// TestAskingWaitsWhileTheCRMRefuses.
func TestAskingWaitsWhileTheCRMRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		b.crm.script = []answer{{status: http.StatusTooManyRequests, header: http.Header{"Wait": {"10m"}}}}
		b.do(read("/a"), 0)
		b.apply(asking(2, 60))
		time.Sleep(9 * time.Minute)
		if n := b.crm.asked("/limits"); n != 0 {
			t.Errorf("asked %d times within the pause that the CRM asked for", n)
		}
		time.Sleep(2 * time.Minute)
		if n := b.crm.asked("/limits"); n == 0 {
			t.Error("not asked when the pause was over")
		}
	})
}

// TestTheAnswerNarrows: what others have used is known although no header tells.
func TestTheAnswerNarrows(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		b.crm.reply = func(c *call.Call) answer {
			if c.Target == "/limits" {
				return toldDay{Limit: 100_000, Left: 40_000, Apps: map[string]int64{"etl": 25_000}}.answer()
			}
			return answer{status: http.StatusOK}
		}
		b.apply(asking(2, 300))
		b.do(read("/a"), 0)
		day := b.snap().Windows[1]
		if day.External == nil || *day.External < 59_998 || *day.External > 60_000 {
			t.Errorf("others have used %v, want 59,999", day.External)
		}
		if want := []contract.AppUse{{Name: "etl", Used: 25_000}}; !slices.Equal(day.Apps, want) {
			t.Errorf("the applications are %v, want %v", day.Apps, want)
		}
	})
}

// TestTheCRMThatDoesNotTellIsLeftAlone for an hour: somebody has to give the credentials a permission.
func TestTheCRMThatDoesNotTellIsLeftAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		b.crm.reply = func(*call.Call) answer { return answer{status: http.StatusForbidden} }
		b.apply(asking(2, 60))
		time.Sleep(10 * time.Hour)
		if n := b.crm.asked("/limits"); n < 9 || n > 11 {
			t.Errorf("asked %d times in ten hours, want once an hour", n)
		}
		if u := b.snap().Usage; u == nil || u.Status != http.StatusForbidden {
			t.Errorf("the last answer is reported as %+v", u)
		}
	})
}

// TestARefusalIsNoDenial: a CRM whose refusal for quota has the status of one for want of a permission is asked again when it may be.
func TestARefusalIsNoDenial(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = refusesBy403{}
		b.crm.script = []answer{{status: http.StatusOK}, {status: http.StatusForbidden, header: http.Header{"Wait": {"1m"}}}}
		b.do(read("/a"), 0)
		b.apply(asking(2, 60))
		time.Sleep(time.Second)
		if u := b.snap().Usage; b.crm.asked("/limits") != 1 || u != nil {
			t.Errorf("asked %d times, and its refusal is reported as %+v", b.crm.asked("/limits"), u)
		}
		time.Sleep(10 * time.Minute)
		if n := b.crm.asked("/limits"); n < 5 {
			t.Errorf("asked %d times in ten minutes", n)
		}
	})
}

// refusesBy403 is a dialect with one status for refusals and for what is not allowed.
type refusesBy403 struct{ tells }

// Refused implements Provider.
func (refusesBy403) Refused(a dialect.Answer, _ time.Time) dialect.Verdict {
	wait, err := time.ParseDuration(a.Header.Get("Wait"))
	return dialect.Verdict{Refused: a.Status == http.StatusForbidden && err == nil, Wait: wait}
}

// TestAppsThatAreToldNoMore are not shown any more.
func TestAppsThatAreToldNoMore(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		b.crm.script = []answer{toldDay{Limit: 100_000, Left: 75_000, Apps: map[string]int64{"etl": 25_000}}.answer()}
		b.apply(asking(2, 300))
		time.Sleep(time.Second)
		before := b.snap().Windows[1].Apps
		b.crm.look(func() {
			b.crm.reply = func(*call.Call) answer { return toldDay{Limit: 100_000, Left: 99_000}.answer() }
		})
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		if after := b.snap().Windows[1].Apps; len(before) != 1 || len(after) != 0 {
			t.Errorf("the applications are %v, and then %v", before, after)
		}
	})
}

// TestObserveTakesNoCall and sends none but those that ask; what was queued before waits.
func TestObserveTakesNoCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		b.apply(asking(2, 300, func(p *contract.Plan) { p.Hold = true }))
		id := b.enqueue(write("/queued", call.RepeatIdempotent))
		b.apply(asking(3, 300, observing))
		time.Sleep(time.Hour)
		if r := b.refused(read("/a"), 0); r.Code != contract.ReasonObserving {
			t.Errorf("a call is refused with %s", r.Code)
		}
		if _, _, err := b.Enqueue(t.Context(), write("/b", call.RepeatIdempotent), "", [32]byte{}); err == nil {
			t.Error("a call was queued")
		}
		if all, asks := len(b.crm.targets()), b.crm.asked("/limits"); all != asks || asks < 8 {
			t.Errorf("%d calls, of which %d ask", all, asks)
		}
		snap := b.snap()
		if r := b.result(id); r.State != call.StateQueued || snap.Enforcing || snap.Integrations[0].Waiting.Cause != contract.CauseObserving {
			t.Errorf("the queued call is %s, %+v", r.State, snap.Integrations[0].Waiting)
		}
		b.apply(asking(4, 300))
		if r := b.result(id); r.State != call.StateSucceeded {
			t.Errorf("then it is %s", r.State)
		}
	})
}

// TestObserveShowsWhoUsesWhat: what others use is the use that is shown, and its growth the demand by which a limit is expected to run out.
func TestObserveShowsWhoUsesWhat(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		began := time.Now()
		b.crm.reply = func(*call.Call) answer { // 6,000 an hour; 24,000 were used before
			used := 24_000 + int64(100*time.Since(began).Minutes())
			a := toldDay{Limit: 100_000, Left: 100_000 - used}.answer()
			a.header = says(http.StatusOK, 1000, 900, 0).header
			return a
		}
		b.apply(asking(2, 300, observing))
		time.Sleep(6 * time.Hour)
		minute, day := b.snap().Windows[0], b.snap().Windows[1]
		if minute.External == nil || *minute.External < 95 || *minute.External > 100 || minute.Used < *minute.External {
			t.Errorf("the minute is %+v, want about 100 used", minute)
		}
		if day.External == nil || *day.External < 58_000 || *day.External > 60_000 || day.Used < *day.External || day.Used > 60_100 {
			t.Errorf("the day is %+v, want about 60,000 used", day)
		}
		if day.DemandP50 < 120_000 || day.DemandP50 > 230_000 {
			t.Errorf("%d are expected to be asked for in a day, want about 168,000, as far as six hours tell", day.DemandP50)
		}
		e := day.Exhaustion
		if e == nil || e.P50 == nil {
			t.Fatalf("the day is not expected to run out: %+v", day)
		}
		// 40,000 are left; 7,000 an hour come, and 1,000 are forgotten, as 24,000 were used in the 24 hours before the first look.
		if in := time.Until(*e.P50); in < 4*time.Hour || in > 9*time.Hour {
			t.Errorf("it is expected to run out in %s, want about 7 hours", in)
		}
	})
}

// TestAskingSurvivesALostAnswer and the loss of power: it goes on, and what was on its way stays charged.
func TestAskingSurvivesALostAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = tells{}
		b.crm.reply = func(*call.Call) answer { return answer{broken: true, after: time.Second} }
		b.apply(asking(2, 60))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := b.crm.asked("/limits"); n < 6 {
			t.Errorf("asked %d times", n)
		}
		b.crm.look(func() {
			b.crm.reply = func(*call.Call) answer { return answer{status: http.StatusOK, after: time.Minute} }
		})
		time.Sleep(90 * time.Second)
		synctest.Wait()
		before := b.crm.asked("/limits")
		b.restart(time.Second)
		synctest.Wait()
		if used := b.snap().Windows[1].Used; used != int64(b.crm.asked("/limits")) || b.crm.asked("/limits") != before+1 {
			t.Errorf("%d calls are charged of %s, and it was asked anew %d times", used, strconv.Itoa(b.crm.asked("/limits")), b.crm.asked("/limits")-before)
		}
	})
}
