// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings implements Provider: the CRM of a test tells of its minute in headers of its own.
func (testDialect) Readings(header http.Header, _ time.Time) []dialect.Reading {
	left, err := strconv.ParseInt(header.Get("Left"), 10, 64)
	if err != nil {
		return nil
	}
	r := dialect.Reading{Window: time.Minute, Remaining: &left}
	r.Limit, _ = strconv.ParseInt(header.Get("Limit"), 10, 64)
	r.Resets, _ = time.ParseDuration(header.Get("Resets"))
	return []dialect.Reading{r}
}

// says is an answer that tells of the minute: its limit, what is left, and when it ends.
func says(status, limit, left int, resets time.Duration) answer {
	h := http.Header{}
	h.Set("Limit", strconv.Itoa(limit))
	h.Set("Left", strconv.Itoa(left))
	h.Set("Resets", resets.String())
	return answer{status: status, header: h}
}

// withDay has a limit of a thousand a minute and one of ten thousand a day.
func withDay(sequence int64, change ...func(*contract.Plan)) *contract.Plan {
	return plan(sequence, append([]func(*contract.Plan){func(p *contract.Plan) {
		p.Limits[0].Calls = 1000
		p.Limits = append(p.Limits, contract.Limit{Name: "day", Calls: 10_000, WindowSeconds: 86400})
	}}, change...)...)
}

// doAll calls until a call is refused, and returns how many were not.
func (b *bench) doAll() (n int, r *call.Refusal) {
	b.t.Helper()
	for range 1000 {
		a, err := b.Do(b.t.Context(), read("/b"), 0)
		if refusal, is := errors.AsType[*call.Refusal](err); is {
			return n, refusal
		}
		if err != nil {
			b.t.Fatal(err)
		}
		_ = a.Body.Close() // in memory
		n++
	}
	b.t.Fatal("no call is refused")
	return n, nil
}

// TestWhatOthersUseNarrowsOneLimit: six hundred of a thousand calls are used by others, so what they leave is left, less what they will use until the CRM's own reset.
func TestWhatOthersUseNarrowsOneLimit(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(withDay(2))
		b.crm.script = []answer{says(200, 1000, 399, 10*time.Second)}
		b.do(read("/a"), 0)
		n, r := b.doAll()
		if n < 150 || n > 399 || r.Limit != "minute" || r.RetryAfter > 12*time.Second {
			t.Errorf("%d calls fit, and the next is refused with %+v, want for the minute until the CRM's reset", n, r)
		}
		snap := b.snap()
		if minute, day := snap.Windows[0], snap.Windows[1]; minute.External == nil || *minute.External != 600 || minute.Used != int64(601+n) ||
			day.External != nil || day.Used != int64(1+n) {
			t.Errorf("the windows are %+v and %+v", minute, day)
		}
		time.Sleep(62 * time.Second)
		b.do(read("/d"), 0)
	})
}

// TestDeclaredUseComesFirst: what others use is use of what is kept free for them, as far as that goes.
func TestDeclaredUseComesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) {
			p.Limits[0].Calls = 1000
			p.Integrations = append(p.Integrations, contract.Integration{
				Namespace: "a", Name: "app", UID: "app", External: true, Share: contract.Share{Part: contract.Part{GuaranteedPercent: 40, MaxPercent: 40}, Weight: 1},
			})
		}))
		b.crm.script = []answer{says(200, 1000, 699, time.Second)}
		b.do(read("/a"), 0)
		snap := b.snap()
		if app := snap.Integrations[0]; app.Name != "app" || app.Windows[0].Used < 300 || app.Windows[0].Used >= 400 {
			t.Errorf("the external integration is shown as %+v, want 300 used and some that are expected", app)
		}
		if n, r := b.doAll(); n != 599 || r.Limit != "minute" {
			t.Errorf("%d more calls fit, and the next is refused with %+v: 400 of 1,000 are for others", n, r)
		}
	})
}

// TestWhoseWordHolds: the CRM says five times that it allows 5, or 20, and 10 are declared.
func TestWhoseWordHolds(t *testing.T) {
	for name, test := range map[string]struct {
		source         contract.LimitSource
		reported, want int
	}{
		"the lower one, of the CRM":          {"", 5, 5},
		"the lower one, as declared":         {contract.LimitLowest, 20, 10},
		"what is reported, when more":        {contract.LimitReported, 20, 20},
		"what is reported, when less":        {contract.LimitReported, 5, 5},
		"what is declared, whatever is said": {contract.LimitDeclared, 5, 10},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.apply(plan(2, func(p *contract.Plan) { p.LimitSource = test.source }))
				for n := range 5 {
					b.crm.script = append(b.crm.script, says(200, test.reported, test.reported-1-n%test.reported, 50*time.Second))
				}
				for range 5 {
					b.do(read("/a"), 0)
				}
				w := b.snap().Windows[0]
				if w.Limit != int64(test.want) || w.Reported == nil || *w.Reported != int64(test.reported) {
					t.Errorf("the window is %+v, want a limit of %d, and %d reported", w, test.want, test.reported)
				}
				fits := 0
				for fits < test.want {
					if _, err := b.Do(t.Context(), read("/b"), 0); err != nil {
						break
					}
					fits++
				}
				if want := test.want - 5; fits != want {
					t.Errorf("%d more calls fit, want %d", fits, want)
				}
			})
		})
	}
}

// TestContradictionsAreSaid and hold nothing back.
func TestContradictionsAreSaid(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for range 3 {
			b.crm.script = append(b.crm.script, says(200, 10, 11, 50*time.Second))
		}
		for range 10 {
			b.do(read("/a"), 0)
		}
		if w := b.snap().Windows[0]; !w.Contradicted || w.Reported != nil || w.External != nil || w.Used != 10 {
			t.Errorf("the window is %+v", w)
		}
	})
}

// TestARestartHearsAnew: what others use is not stored, and the next answer tells it; what we had used ourselves is known.
func TestARestartHearsAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{says(200, 10, 3, 50*time.Second)}
		b.do(read("/a"), 0)
		b.restart(time.Second)
		b.crm.script = []answer{says(200, 10, 2, 49*time.Second)}
		b.do(read("/b"), 0)
		if w := b.snap().Windows[0]; w.External == nil || *w.External < 6 || *w.External > 7 {
			t.Errorf("the window is %+v, want 6 used by others, or 7 if the answer before the restart was lost", w)
		}
	})
}

// TestRefusalsHaveAVerdict from the CRM's words and the ledger.
func TestRefusalsHaveAVerdict(t *testing.T) {
	for name, test := range map[string]struct {
		calls  int
		answer answer
		want   contract.Verdict
	}{
		"others have used the limit":                 {0, says(429, 10, 0, 9*time.Second), contract.VerdictExternalUse},
		"the limit is lower than declared":           {0, says(429, 5, 0, 9*time.Second), contract.VerdictLowerLimit},
		"the CRM's own limits have room":             {0, says(429, 10, 8, 9*time.Second), contract.VerdictHiddenLimit},
		"the CRM says nothing, and we had room":      {0, answer{status: 429}, contract.VerdictOwnFault},
		"the CRM says nothing, and we had little":    {9, answer{status: 429}, contract.VerdictUnclear},
		"one operation, while we had room":           {0, refusal("operation"), contract.VerdictHiddenLimit},
		"one operation, and we had little":           {9, refusal("operation"), contract.VerdictUnclear},
		"we have used the limit up, says our ledger": {9, says(429, 10, 0, 9*time.Second), contract.VerdictOwnFault},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				for range test.calls {
					b.do(read("/a"), 0)
				}
				b.crm.script = []answer{test.answer}
				b.do(read("/refused"), 0)
				if got := b.snap().Refusals; len(got) != 1 || got[test.want] != 1 {
					t.Errorf("the verdicts are %v, want one of %s", got, test.want)
				}
			})
		})
	}
}
