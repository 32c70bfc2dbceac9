// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func get(f Facts, target, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	NewReportHandler(f, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	return w
}

func reportOf(t *testing.T, w *httptest.ResponseRecorder) contract.Report {
	t.Helper()
	var report contract.Report
	if err := json.Unmarshal(w.Body.Bytes(), &report); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s (%v)", w.Code, w.Body, err)
	}
	return report
}

func TestReportHoldsAllFacts(t *testing.T) {
	until := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f := newFake(planWith(7, "https://acme.zendesk.com"))
	f.snapshot.Enforcing, f.snapshot.RefusedUntil = true, &until
	f.snapshot.Windows = []contract.WindowReport{{Name: "minute", Limit: 400, Used: 3}}
	f.snapshot.Backlog = contract.BacklogReport{Queued: 2}
	f.snapshot.Integrations = []contract.IntegrationReport{{Namespace: "n", Name: "a", Generation: 1}}
	all := facts(f)
	all.Ready = func(context.Context) error { return errors.New("the volume is full") }
	all.Rejected = func() *contract.RejectedPlan { return &contract.RejectedPlan{Sequence: 8, Reason: "schema"} }

	want := contract.Report{
		Schema: contract.ReportSchema, Sequence: 7, Generation: 4, CRMUID: "u", NotReady: "the volume is full",
		Rejected:    &contract.RejectedPlan{Sequence: 8, Reason: "schema"},
		Credentials: contract.CredentialsReport{Resolved: true}, Certificate: contract.CertificateReport{CAPEM: "pem"},
		Endpoint: contract.EndpointReport{Resolved: true}, Enforcing: true, RefusedUntil: &until,
		Windows: f.snapshot.Windows, Backlog: f.snapshot.Backlog, Integrations: f.snapshot.Integrations,
	}
	if diff := cmp.Diff(want, reportOf(t, get(all, "/report", ""))); diff != "" {
		t.Error(diff)
	}
}

func TestTheReportTellsOfReceivers(t *testing.T) {
	f := newFake(planWith(7, "https://acme.zendesk.com"))
	f.snapshot.Integrations = []contract.IntegrationReport{{Namespace: "n", Name: "a", Callbacks: &contract.CallbacksReport{Waiting: 3}}, {Namespace: "n", Name: "b"}}
	all := facts(f)
	all.Callbacks = func(integration string, r *contract.CallbacksReport) { r.KeyTrouble = integration }
	got := reportOf(t, get(all, "/report", "")).Integrations
	if diff := cmp.Diff(&contract.CallbacksReport{Waiting: 3, KeyTrouble: "n/a"}, got[0].Callbacks); diff != "" || got[1].Callbacks != nil {
		t.Errorf("(-want +got):\n%s\nand without callbacks: %+v", diff, got[1].Callbacks)
	}
}

func TestReportBeforeTheFirstPlan(t *testing.T) {
	want := contract.Report{Schema: contract.ReportSchema, Ready: true, Certificate: contract.CertificateReport{CAPEM: "pem"}, Endpoint: contract.EndpointReport{Resolved: true}}
	if diff := cmp.Diff(want, reportOf(t, get(facts(newFake(nil)), "/report", ""))); diff != "" {
		t.Error(diff)
	}
}

func TestReportFailsPlainly(t *testing.T) {
	stuck := newFake(nil)
	stuck.err = context.DeadlineExceeded
	for name, test := range map[string]struct {
		facts  Facts
		target string
		want   int
	}{
		"another path":         {facts(newFake(nil)), "/metrics", http.StatusNotFound},
		"a sequence in words":  {facts(newFake(nil)), "/report?after=next", http.StatusBadRequest},
		"a negative time":      {facts(newFake(nil)), "/report?wait=-1", http.StatusBadRequest},
		"a loop that is stuck": {facts(stuck), "/report", http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			if w := get(test.facts, test.target, ""); w.Code != test.want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, test.want)
			}
		})
	}
}

func TestReportWaitsForAPlan(t *testing.T) {
	type outcome struct {
		Sequence int64
		After    time.Duration
	}
	for name, test := range map[string]struct {
		target string
		// at is when plan 8 comes, if it does; rejected is there from the start.
		at       time.Duration
		rejected *contract.RejectedPlan
		want     outcome
	}{
		"it is in force":              {"/report?after=7&wait=5", 0, nil, outcome{7, 0}},
		"nothing is waited for":       {"/report?after=8", 0, nil, outcome{7, 0}},
		"it comes":                    {"/report?after=8&wait=5", 2 * time.Second, nil, outcome{8, 2 * time.Second}},
		"it does not come":            {"/report?after=9&wait=5", 2 * time.Second, nil, outcome{8, 5 * time.Second}},
		"it was rejected":             {"/report?after=9&wait=5", 0, &contract.RejectedPlan{Sequence: 9}, outcome{7, 0}},
		"the time to wait is bounded": {"/report?after=9&wait=600", 0, nil, outcome{7, time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(planWith(7, ""))
				all := facts(f)
				all.Rejected = func() *contract.RejectedPlan { return test.rejected }
				if test.at > 0 {
					time.AfterFunc(test.at, func() { f.apply(planWith(8, "")) })
				}
				start := time.Now()
				report := reportOf(t, get(all, test.target, ""))
				if diff := cmp.Diff(test.want, outcome{report.Sequence, time.Since(start)}); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestOnlyTheManagerReadsTheReport(t *testing.T) {
	const manager = "system:serviceaccount:crm-quota-operator-system:manager"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(subject, audience string) string {
		raw, err := jwt.Signed(signer).Claims(jwt.Claims{
			Issuer: "kube", Subject: subject, Audience: jwt.Audience{audience}, IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
		}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	plan := planWith(7, "")
	plan.ReportReader, plan.TokenIssuers = manager, []contract.TokenIssuer{{Issuer: "kube", Keys: set}}
	for name, test := range map[string]struct{ token, wantRefusal string }{
		"the manager":       {sign(manager, contract.ReportAudience), ""},
		"another account":   {sign("system:serviceaccount:contact-centre:adapter", contract.ReportAudience), "may not read"},
		"a token for calls": {sign(manager, "crmquota.dev/contact-centre/zendesk"), "audience"},
		"no token":          {"", "required"},
		"something else":    {"x", "not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := get(facts(newFake(plan)), "/report", test.token)
			if test.wantRefusal == "" {
				reportOf(t, w)
				return
			}
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), test.wantRefusal) {
				t.Errorf("%d %s, want 401 with %q", w.Code, w.Body, test.wantRefusal)
			}
		})
	}
}
