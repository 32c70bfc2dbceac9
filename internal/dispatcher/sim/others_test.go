// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

const (
	// declared calls a minute are what the manifest says, of which others make behindOurBack.
	declared, behindOurBack = 400, 120
	othersToken             = "the-token-of-others"
	// sharedWorlds are tried of each kind.
	sharedWorlds = 3
	// minutes that each of them lasts.
	minutes = 15
)

// newShared returns a world in which the CRM enforces a limit of so many calls a minute behind a manifest that declares 400.
func newShared(t *testing.T, seed uint64, calls int, kind limit.Kind) *world {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 5)) //nolint:gosec // repeatable on purpose
	s := choose(4*seed + 1)
	s.plan.Limits, s.crm.Limits, s.plan.Integrations = nil, nil, s.plan.Integrations[:1]
	app := &s.plan.Integrations[0]
	app.Share.MaxPercent, app.Queue.MaxCalls = 100, 100_000
	s.addLimit(contract.Limit{Name: "minute", Calls: declared, WindowSeconds: 60})
	s.crm.Limits[0].Calls, s.crm.Limits[0].Kind = calls, kind
	if kind == limit.Fixed {
		s.crm.Limits[0].Offset = time.Duration(random.IntN(60_000)) * time.Millisecond
	}
	s.crm.Tokens = append(s.crm.Tokens, othersToken)
	s.crm.Latency, s.crm.Jitter = 100*time.Millisecond, 400*time.Millisecond
	w := newWorld(t, s)
	w.firstMachine(random)
	return w
}

// backlog queues n calls.
func (w *world) backlog(n int) {
	for i := range n {
		w.ask(w.t.Context(), 0, request{method: "PUT", target: fmt.Sprintf("/api/v2/tickets/%d.json", 1+i), body: `{"ticket":{"subject":"t"}}`, queued: true})
	}
}

// others call the CRM directly, at random moments and so many at a time, until ctx ends.
func (w *world) others(ctx context.Context, seed uint64, atATime int) {
	random := rand.New(rand.NewPCG(seed, 6)) //nolint:gosec // repeatable on purpose
	var calls sync.WaitGroup
	for ctx.Err() == nil {
		sleep(ctx, time.Duration(random.ExpFloat64()*float64(atATime)*float64(time.Minute)/behindOurBack))
		for range atATime {
			calls.Go(func() {
				r := httptest.NewRequest(http.MethodGet, "/api/v2/users/search.json?query=a", nil)
				r.Header.Set("Authorization", "Bearer "+othersToken)
				w.server.ServeHTTP(httptest.NewRecorder(), r)
			})
		}
	}
	calls.Wait()
}

// outcome counts what the CRM has seen from a moment on.
type outcome struct {
	calls, refused, theirs, theirsRefused int
	// storms are the seconds in which it refused calls.
	storms map[int64]int
}

func (o outcome) String() string {
	return fmt.Sprintf("%d of %d calls refused (%.3f %%), %d of them others' %d calls", o.refused, o.calls, o.percent(), o.theirsRefused, o.theirs)
}

func (o outcome) percent() float64 { return 100 * float64(o.refused) / float64(o.calls) }

func (w *world) since(at time.Time) outcome {
	o := outcome{storms: map[int64]int{}}
	at = at.Add(w.crm.ClockOffset)
	for _, a := range w.server.Arrivals() {
		if a.Received.Before(at) {
			continue
		}
		isTheirs := a.Operation == "SearchUsers"
		o.calls++
		if isTheirs {
			o.theirs++
		}
		if a.Outcome == judge.Refused {
			o.refused++
			o.storms[a.Received.Unix()]++
			if isTheirs {
				o.theirsRefused++
			}
		}
	}
	return o
}

func (w *world) minute() contract.WindowReport {
	w.t.Helper()
	return w.snapshot().Windows[0]
}

// TestOthersBehindOurBack: with 30 % of the licence's calls made by others at random while a backlog takes all that is left, hardly any call is refused after three
// windows, theirs counted too, and what they used in the last ten is known to a tenth after these. What bursts of 25 calls cost is printed.
func TestOthersBehindOurBack(t *testing.T) {
	for _, kind := range []limit.Kind{limit.Fixed, limit.Rolling} {
		for _, atATime := range []int{1, 25} {
			t.Run(fmt.Sprintf("%s, %d at a time", kind, atATime), func(t *testing.T) {
				t.Parallel()
				var all outcome
				for seed := range uint64(max(1, sharedWorlds/atATime)) {
					synctest.Test(t, func(t *testing.T) {
						w := newShared(t, seed, declared, kind)
						w.backlog(4_500)
						began := time.Now()
						ctx, cancel := context.WithCancel(t.Context())
						done := make(chan struct{})
						go func() { w.others(ctx, seed, atATime); close(done) }()
						off := 0.0
						for range minutes {
							time.Sleep(time.Minute)
							if time.Since(began) <= 10*time.Minute {
								continue
							}
							if m := w.minute(); m.External != nil {
								lately := float64(w.since(time.Now().Add(-10*time.Minute)).theirs) / 10
								off = max(off, math.Abs(float64(*m.External)/lately-1))
							} else {
								t.Error("after ten windows nothing is known of others")
							}
						}
						cancel()
						<-done
						o := w.since(began.Add(3 * time.Minute))
						t.Logf("seed %d: %s; external is off by %.1f %% at most; ours %d a minute", seed, o, 100*off, (o.calls-o.theirs)/(minutes-3))
						if atATime == 1 && off > .1 {
							t.Errorf("after ten windows the use by others is off by %.1f %%", 100*off)
						}
						all.calls, all.refused = all.calls+o.calls, all.refused+o.refused
						all.theirs, all.theirsRefused = all.theirs+o.theirs, all.theirsRefused+o.theirsRefused
					})
				}
				t.Logf("in all %s", all)
				if atATime == 1 && all.percent() > .1 {
					t.Errorf("%.3f %% of all calls are refused, more than 0.1 %%", all.percent())
				}
			})
		}
	}
}

// TestALowerLicence: behind a manifest that declares 400 calls a minute the CRM allows 200.
func TestALowerLicence(t *testing.T) {
	for _, kind := range []limit.Kind{limit.Fixed, limit.Rolling} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newShared(t, 1, declared/2, kind)
				began := time.Now()
				w.backlog(2000)
				time.Sleep(5 * time.Minute)
				o := w.since(began)
				t.Logf("%s; refusals by second: %v; the report: %+v", o, o.storms, w.minute())
				if len(o.storms) > 1 {
					t.Errorf("the CRM refused calls in %d seconds, want at most one", len(o.storms))
				}
				if m := w.minute(); m.Reported == nil || *m.Reported != declared/2 || m.Limit != declared/2 {
					t.Errorf("the limit in force is %d, want %d as reported", m.Limit, declared/2)
				}
			})
		})
	}
}
