// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// faultLasts is for how long each fault is there, within a load of three times as much.
const faultLasts = 5 * time.Minute

// suffered is a fault and what comes of it.
type suffered struct {
	fault *fault
	// status, and a part of the words, that a client sees that waits; waiting is a part of why calls are said to wait. Without a status it is left open.
	status          int
	detail, waiting string
	// recovers is how soon after the end of the fault calls succeed again, at the latest.
	recovers time.Duration
	// contradicted: the report says that the CRM's words about a limit contradict themselves.
	contradicted bool
	// unsent: no request is sent while the fault lasts, so none is charged.
	unsent bool
}

// newFaulty is a setup of clients that hand in calls all the time, in which nothing is wrong but the CRM and, in odd worlds, the power.
func newFaulty(seed uint64) setup {
	s := setup{guards: limits.DefaultGuards(), load: 3 * faultLasts, pace: 20 * time.Second, faultAfter: faultLasts, faultLasts: faultLasts, crashes: int(seed%2) * 2}
	s.addLimit(contract.Limit{Name: "minute", Calls: 90, WindowSeconds: 60})
	s.addLimit(contract.Limit{Name: "slots", Concurrent: 60}) // a call without an answer keeps one for a minute
	// Zendesk's own, which binds whether it is declared or not.
	s.addLimit(contract.Limit{Name: "jobs", Concurrent: 30, UntilJobEnds: true, Match: &contract.Match{Operations: []string{"CreateTickets"}}})
	s.crm.Seed, s.crm.Tokens = seed, []string{secret}
	s.crm.Latency, s.crm.Jitter, s.crm.LateBy = 50*time.Millisecond, 500*time.Millisecond, 30*time.Second
	s.choosePlan(rand.New(rand.NewPCG(seed, 8))) //nolint:gosec // repeatable on purpose
	for i := range s.plan.Integrations {
		s.plan.Integrations[i].Share.MaxPercent = 100
	}
	return s
}

// suffer lives through worlds with each fault: what holds in all worlds holds in these, the fault is told in words, and calls succeed soon after it.
func suffer(t *testing.T, all map[string]suffered) {
	t.Helper()
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= 2; seed++ {
				synctest.Test(t, func(t *testing.T) {
					s := newFaulty(seed)
					s.fault = c.fault
					c.judge(t, run(t, seed, s), s)
				})
			}
		})
	}
}

func (c suffered) judge(t *testing.T, v *verdict, s setup) {
	t.Helper()
	v.hold(t)
	if c.status != 0 && v.told.status != c.status || !strings.Contains(v.told.detail, c.detail) {
		t.Errorf("who waited got %d %s: %q, want %d and %q", v.told.status, v.told.reason, v.told.detail, c.status, c.detail)
	}
	if !strings.Contains(v.told.waiting, c.waiting) {
		t.Errorf("calls are said to wait because %q, want %q", v.told.waiting, c.waiting)
	}
	if c.contradicted && !v.told.contradicted {
		t.Error("the report does not say that the CRM contradicts itself")
	}
	if strings.Contains(v.told.detail, secret) || strings.Contains(v.told.detail, "query=") {
		t.Errorf("the words to clients tell too much: %q", v.told.detail)
	}
	if v.recovery == 0 || v.recovery > c.recovers {
		t.Errorf("the next call succeeded %s after the end of the fault, want it within %s", v.recovery, c.recovers)
	}
	if c.unsent && s.crashes == 0 && v.dispatched != v.report.Arrivals {
		t.Errorf("%d requests are counted as sent, and %d arrived", v.dispatched, v.report.Arrivals)
	}
	if verbose() {
		t.Logf("%d promised: %v; %d arrivals; told %+v; next call after %s", v.promised, v.states, v.report.Arrivals, v.told, v.recovery)
	}
}

// TestTheCRMRefuses: whatever comes with a 429, calls wait for as long as it says, at most a day; if it says nothing that can be understood, for a pause that
// doubles with each refusal, and so is as long as the fault was at most.
func TestTheCRMRefuses(t *testing.T) {
	const ours, aDay = faultLasts + time.Minute, 24*time.Hour + time.Minute
	all := map[string]suffered{}
	for after, recovers := range map[string]time.Duration{
		"":                              ours,
		"7":                             time.Minute,
		"0":                             ours,
		"-5":                            ours,
		"99999999":                      aDay,
		"99999999999999999999":          ours,
		"soon; very=1":                  ours,
		"Wed, 21 Oct 1998 07:28:00 GMT": ours,
		"Fri, 31 Dec 9999 23:59:59 GMT": aDay,
	} {
		all[fmt.Sprintf("Retry-After %q", after)] = suffered{
			fault: refuses(after), status: http.StatusTooManyRequests, waiting: "the CRM refused calls for quota", recovers: recovers,
		}
	}
	suffer(t, all)
}

// TestTheCRMFails: it answers with errors, or breaks off. What it may have executed is not executed again.
func TestTheCRMFails(t *testing.T) {
	const silence, broken = "did not answer within", "broke the connection"
	failed := func(f *fault, status int, detail string) suffered {
		return suffered{fault: f, status: status, detail: detail, waiting: "the CRM failed calls", recovers: 2 * time.Minute}
	}
	spoilt := func(how func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder), detail string) suffered {
		return failed(spoils(how), http.StatusBadGateway, detail)
	}
	suffer(t, map[string]suffered{
		"500":                             {fault: says(http.StatusInternalServerError, "{}"), status: http.StatusInternalServerError, recovers: time.Minute},
		"502":                             failed(says(http.StatusBadGateway, "<html>"), http.StatusBadGateway, ""),
		"503 with a Retry-After of years": failed(says(http.StatusServiceUnavailable, "", "Retry-After", "99999999"), http.StatusServiceUnavailable, ""),
		"504, and calls are executed": failed(spoils(func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
			w.WriteHeader(http.StatusGatewayTimeout)
		}), http.StatusGatewayTimeout, ""),
		"no answer":                                   failed(&fault{answer: func(w http.ResponseWriter, r *http.Request, _ http.Handler) { untilGone(w, r) }}, http.StatusBadGateway, silence),
		"no answer, and calls are executed":           spoilt(func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) { untilGone(w, r) }, silence),
		"the connection ends, and calls are executed": spoilt(func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) { breakOff(w, r) }, broken),
		"the answer stops midway": spoilt(func(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
			begin(w, answer, answer.Body.Len())
			untilGone(w, r)
		}, silence),
		"the connection ends midway": spoilt(func(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
			begin(w, answer, answer.Body.Len())
			breakOff(w, r)
		}, broken),
		"an answer in chunks is cut off": spoilt(func(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
			begin(w, answer, 0)
			breakOff(w, r)
		}, broken),
		"what comes is not HTTP": spoilt(func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = conn.Write([]byte("220 mail.acme.test ESMTP\r\n")) // the client may have gone
			_ = conn.Close()                                          // as above
		}, broken),
		"the header is too large": spoilt(func(w http.ResponseWriter, _ *http.Request, answer *httptest.ResponseRecorder) {
			pass(w, answer, map[string]string{"X-Padding": strings.Repeat("p", 100<<10)}, 0)
		}, broken),
	})
}

// TestTheCRMLies: it executes calls, and says of its limits what cannot be. No word of it has more sent than is declared, and none
// stops calls for longer than it takes to see that it contradicts what happens.
func TestTheCRMLies(t *testing.T) {
	lies := func(header func(n int64) (limit, remaining string)) suffered {
		return suffered{fault: tells(header), recovers: 2 * time.Minute}
	}
	believed := func(header func(n int64) (limit, remaining string)) suffered {
		c := lies(header)
		c.status = http.StatusOK
		return c
	}
	tooMuch := believed(func(int64) (string, string) { return "90", "4000" })
	tooMuch.contradicted = true
	suffer(t, map[string]suffered{
		"figures below zero":                               believed(func(int64) (string, string) { return "-90", "-1" }),
		"figures that overflow":                            believed(func(int64) (string, string) { return "99999999999999999999", strconv.FormatInt(math.MaxInt64, 10) }),
		"figures that are none":                            believed(func(int64) (string, string) { return "NaN", "1e309" }),
		"more is left than there is":                       tooMuch,
		"the limit is said to be a hundred times as large": believed(func(int64) (string, string) { return "9000", "8999" }),
		"nothing is ever left":                             lies(func(int64) (string, string) { return "90", "0" }),
		"figures jump": lies(func(n int64) (string, string) {
			return strconv.FormatInt(90*(1+n%7), 10), strconv.FormatInt(n*37%90, 10)
		}),
	})
}

// TestTheCRMAnswersAtLength: an answer that is longer than what is read at once goes to who waits for it. The call has succeeded, and its result has no body.
func TestTheCRMAnswersAtLength(t *testing.T) {
	suffer(t, map[string]suffered{"5 MiB": {fault: atLength(), status: http.StatusOK, recovers: 2 * time.Minute}})
}

// TestTheCRMCannotBeReached: nothing leaves, nothing is charged, nothing is parked.
func TestTheCRMCannotBeReached(t *testing.T) {
	unreachable := func(dial func(context.Context) error, detail string) suffered {
		return suffered{fault: &fault{dial: dial}, status: http.StatusBadGateway, detail: detail, waiting: "the CRM failed calls", recovers: 2 * time.Minute, unsent: true}
	}
	suffer(t, map[string]suffered{
		"there is no such name": unreachable(func(context.Context) error {
			return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: crmHost, IsNotFound: true}}
		}, "no such host"),
		"the name server does not answer": unreachable(func(ctx context.Context) error {
			<-ctx.Done()
			return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "i/o timeout", Name: crmHost, IsTimeout: true}}
		}, "i/o timeout"),
		"the port is closed": unreachable(func(context.Context) error { return errors.New("connection refused") }, "connection refused"),
		"nothing comes back": unreachable(func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, "deadline exceeded"),
	})
}

// TestTheCRMsCertificate: one that is not to be trusted has nothing sent, and nothing charged.
func TestTheCRMsCertificate(t *testing.T) {
	for name, c := range map[string]struct {
		show   func(*issuer) *tls.Certificate
		detail string
	}{
		"it has expired":       {func(i *issuer) *tls.Certificate { return i.issue(crmHost, time.Now()) }, "certificate has expired"},
		"its CA is not known":  {func(i *issuer) *tls.Certificate { return newIssuer(i.t).issue(crmHost, inTenYears()) }, "unknown authority"},
		"it is another host's": {func(i *issuer) *tls.Certificate { return i.issue("other.zendesk.test", inTenYears()) }, "not " + crmHost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= 2; seed++ {
				synctest.Test(t, func(t *testing.T) {
					s, ca := newFaulty(seed), newIssuer(t)
					s.plan.Endpoint = "https://" + crmHost
					s.certificate, s.trust = ca.issue(crmHost, inTenYears()), ca.trust()
					s.fault = &fault{certificate: c.show(ca)}
					want := suffered{status: http.StatusBadGateway, detail: c.detail, waiting: "the CRM failed calls", recovers: 2 * time.Minute, unsent: true}
					want.judge(t, run(t, seed, s), s)
				})
			}
		})
	}
}

func inTenYears() time.Time { return time.Now().AddDate(10, 0, 0) }
