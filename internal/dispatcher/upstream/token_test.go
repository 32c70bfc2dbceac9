// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
)

func kinds() map[string]contract.Credentials {
	return map[string]contract.Credentials{"client credentials": byClient, "refresh token": byRefresh, "JWT bearer": byJWT}
}

// TestEachKindSignsCalls: many calls at once get by with one token, and the report follows.
func TestEachKindSignsCalls(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			withTokens(t, simulated(), func(w *tokenWorld) {
				pending := contract.CredentialsReport{Token: contract.TokenPending, Message: "the first access token has not come yet"}
				if diff := cmp.Diff(pending, w.check(kind)); diff != "" {
					t.Errorf("before the first token (-want +got):\n%s", diff)
				}
				var calls sync.WaitGroup
				for range 50 {
					calls.Go(func() { w.want(kind, http.StatusOK) })
				}
				calls.Wait()
				w.wantTokens(1)
				if diff := cmp.Diff(contract.CredentialsReport{Resolved: true}, w.check(kind)); diff != "" {
					t.Errorf("with a token (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestCallsFlowWhileTokensExpire: under load over many lives of a token each is asked for once, no call is refused, and none waits longer than the token
// endpoint takes and, with a refresh token, than the calls take that are on their way.
func TestCallsFlowWhileTokensExpire(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			config := simulated()
			config.Jitter, config.OAuth.Life = 700*time.Millisecond, 5*time.Minute // no CRM's tokens live shorter
			withTokens(t, config, func(w *tokenWorld) {
				var calls sync.WaitGroup
				var slowest atomic.Int64
				for range 20 {
					calls.Go(func() {
						for began := time.Now(); time.Since(began) < 20*time.Minute; time.Sleep(time.Second) {
							sent := time.Now()
							w.want(kind, http.StatusOK)
							for took := int64(time.Since(sent)); took > slowest.Load(); {
								slowest.Store(took)
							}
						}
					})
				}
				calls.Wait()
				w.wantTokens(5) // 5 minutes less a fifth are 4
				r := w.sim.Report()
				if r.ByOutcome[judge.Unauthorized] != 0 || r.Arrivals < 5000 {
					t.Errorf("of %d calls %d were refused for their token", r.Arrivals, r.ByOutcome[judge.Unauthorized])
				}
				if most := 1800 * time.Millisecond; time.Duration(slowest.Load()) > most {
					t.Errorf("the slowest call took %s, want at most %s", time.Duration(slowest.Load()), most)
				}
			})
		})
	}
}

// TestTokenIsKeptAtHandWithoutCalls, also after a change of the Secret.
func TestTokenIsKeptAtHandWithoutCalls(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		plan := &contract.Plan{Endpoint: "http://acme.crm.test", Credentials: byClient}
		ctx := w.Context()
		go w.credentials.Keep(ctx, func() (*contract.Plan, <-chan struct{}) { return plan, nil })
		time.Sleep(time.Hour)
		w.wantTokens(3)
		w.files.set("secret", "another")
		time.Sleep(time.Minute)
		if got := w.check(byClient); got.Token != contract.TokenRefused {
			t.Errorf("the report is %+v", got)
		}
	})
}

// TestTokenOfUnknownLife is used until another is due, and on while none can be had.
func TestTokenOfUnknownLife(t *testing.T) {
	config := simulated()
	config.OAuth.HideLife = true
	withTokens(t, config, func(w *tokenWorld) {
		w.want(byJWT, http.StatusOK)
		time.Sleep(9 * time.Minute)
		w.want(byJWT, http.StatusOK)
		w.wantTokens(1)
		w.outage(crmsim.Outage{Kind: crmsim.Unavailable, Operation: "IssueToken"})
		time.Sleep(15 * time.Minute)
		w.want(byJWT, http.StatusOK)
		w.outage()
		time.Sleep(2 * time.Minute)
		w.want(byJWT, http.StatusOK)
		synctest.Wait()
		time.Sleep(time.Second)
		w.wantTokens(2)
	})
}

func (w *tokenWorld) outage(outages ...crmsim.Outage) {
	w.Helper()
	if err := w.sim.SetOutages(outages...); err != nil {
		w.Fatal(err)
	}
}

// TestRefusedTokenIsReplacedOnce: the refused call keeps its answer, the next one has a new token; a CRM that refuses every token is not asked for more than
// one a minute.
func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		w.want(byClient, http.StatusOK)
		w.sim.RevokeTokens()
		w.want(byClient, http.StatusUnauthorized)
		w.want(byClient, http.StatusOK)
		w.wantTokens(2)
		for began := time.Now(); time.Since(began) < 10*time.Minute; time.Sleep(time.Second) {
			w.sim.RevokeTokens()
			if _, err := w.send(byClient); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.sim.Report().TokenRequests["issued"]; got < 11 || got > 13 {
			t.Errorf("%d tokens were issued in 10 minutes of refusals, want one a minute", got)
		}
	})
}

// TestChangedSecretDropsTheToken: a wrong one stops calls at once, a right one lets them go at once.
func TestChangedSecretDropsTheToken(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		w.want(byClient, http.StatusOK)
		w.files.set("secret", "wrong")
		if _, err := w.send(byClient); !errors.Is(err, ErrNoToken) {
			t.Errorf("a call with the wrong secret: %v", err)
		}
		says := contract.CredentialsReport{Token: contract.TokenRefused, Message: "the token endpoint refuses the client (invalid_client)"}
		if diff := cmp.Diff(says, w.check(byClient)); diff != "" {
			t.Errorf("with the wrong secret (-want +got):\n%s", diff)
		}
		if n := w.sim.Report().Arrivals; n != 1 {
			t.Errorf("%d calls have arrived, want the first", n)
		}
		w.files.set("secret", clientSecret)
		w.want(byClient, http.StatusOK)
		w.wantTokens(2)
	})
}

// TestTokenEndpointIsLeftAloneAfterErrors: calls that come all the time do not have it asked all the time.
func TestTokenEndpointIsLeftAloneAfterErrors(t *testing.T) {
	for name, c := range map[string]struct {
		spoil       func(*tokenWorld)
		trouble     contract.TokenTrouble
		least, most int64 // requests in an hour
	}{
		"refused": {func(w *tokenWorld) { w.files.set("secret", "wrong") }, contract.TokenRefused, 8, 15},
		"unavailable": {
			func(w *tokenWorld) { w.outage(crmsim.Outage{Kind: crmsim.Reset, Operation: "IssueToken"}) }, contract.TokenUnavailable, 60, 130,
		},
	} {
		t.Run(name, func(t *testing.T) {
			withTokens(t, simulated(), func(w *tokenWorld) {
				c.spoil(w)
				for began := time.Now(); time.Since(began) < time.Hour; time.Sleep(time.Second) {
					if _, err := w.send(byClient); !errors.Is(err, ErrNoToken) {
						t.Fatalf("the call: %v", err)
					}
				}
				if got := w.check(byClient).Token; got != c.trouble {
					t.Errorf("the report says %q, want %q", got, c.trouble)
				}
				if n := w.sim.Report().Arrivals; n != 0 {
					t.Errorf("%d calls have arrived without a token", n)
				}
				if dials := w.dials.Load(); dials < c.least || dials > c.most {
					t.Errorf("in an hour the endpoint was asked %d times, want %d to %d", dials, c.least, c.most)
				}
			})
		})
	}
}
