// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// TestWhetherTheCRMAnswers: three calls in a row that fare badly show that it does not, one that it takes that it does.
func TestWhetherTheCRMAnswers(t *testing.T) {
	refusal := answer{status: http.StatusTooManyRequests, header: http.Header{"Wait": {"1s"}}}
	narrow := answer{status: http.StatusTooManyRequests, header: http.Header{"Wait": {"1s"}}, body: "operation"}
	down, broken, ill := answer{down: true}, answer{broken: true}, answer{status: http.StatusServiceUnavailable}
	for name, test := range map[string]struct {
		script []answer
		want   contract.CRMTrouble
	}{
		"no connection":               {[]answer{down, down, down}, contract.CRMUnreachable},
		"no answer":                   {[]answer{broken, broken, broken}, contract.CRMUnreachable},
		"two are not enough":          {[]answer{down, down}, ""},
		"one that was taken":          {[]answer{down, down, down, {status: 200}}, ""},
		"one that was not found":      {[]answer{down, down, down, {status: 404}, down}, ""},
		"out of order":                {[]answer{ill, ill, ill}, contract.CRMFailing},
		"what it began with":          {[]answer{ill, ill, down, ill, down, down}, contract.CRMFailing},
		"unless it changed for good":  {[]answer{ill, ill, ill, down, down, down}, contract.CRMUnreachable},
		"refused":                     {[]answer{refusal, refusal, refusal}, contract.CRMRefusing},
		"refused one operation":       {[]answer{refusal, refusal, narrow}, ""},
		"credentials that it refuses": {[]answer{{status: 401}, {status: 401}, {status: 401}}, contract.CRMUnauthorised},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				if a := b.snap().Answering; a.Known {
					t.Errorf("before the first call it is known that %+v", a)
				}
				began := time.Now()
				b.crm.script = test.script
				for range test.script {
					if a, err := b.Do(t.Context(), read("/a"), 0); err == nil {
						_ = a.Body.Close() // in memory
					}
					time.Sleep(2 * time.Second)
				}
				a := b.snap().Answering
				if !a.Known || a.Trouble != test.want || (a.Trouble != "") != a.Since.Equal(began) {
					t.Errorf("got %+v, want %q since %s", a, test.want, began)
				}
			})
		})
	}
}

// TestWhatNeverLeftTellsNothing of the CRM, if the reason was ours.
func TestWhatNeverLeftTellsNothing(t *testing.T) {
	for _, err := range []error{
		errDamaged, errOtherTarget, errNotMerged, errStopped, upstream.ErrCredentialsMissing, upstream.ErrHostNotAllowed, upstream.ErrNoToken,
	} {
		if trouble, tells := troubleOf(upstream.Outcome{Err: fmt.Errorf("a reason: %w", err)}, unsent, dialect.Verdict{}); tells {
			t.Errorf("%v: the CRM is said to be %s", err, trouble)
		}
	}
	if trouble, tells := troubleOf(upstream.Outcome{Err: errDown}, unsent, dialect.Verdict{}); !tells || trouble != contract.CRMUnreachable {
		t.Errorf("without a connection the CRM is said to be %q, %t", trouble, tells)
	}
}
