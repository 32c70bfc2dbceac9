// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

const (
	crmURL    = "https://acme.zendesk.com"
	intakeURL = "https://zendesk-crm-dispatcher.contact-centre.svc"
	ccaiKey   = "ccai-key-1234567890abcdef"
	etlKey    = "etl-key-1234567890abcdef"
)

// fake is a scheduler that does what a test tells it to, and remembers what it was asked.
type fake struct {
	plan   *contract.Plan
	do     func(context.Context, *call.Call, time.Duration) (*call.Answer, error)
	stored func(*call.Call) (bool, error)
	// result is what is known of a call that is stored, and what a look finds, end what is found after waiting.
	result, end call.Result
	rooms       []call.Room
	saved       int
	listed      []call.Result
	orders      []string
	disobey     error

	calls   []*call.Call // sent
	waits   []time.Duration
	queued  []*call.Call
	keys    []string
	prints  [][32]byte
	lookups []time.Duration
}

func (f *fake) Do(ctx context.Context, c *call.Call, wait time.Duration) (*call.Answer, error) {
	f.calls, f.waits = append(f.calls, c), append(f.waits, wait)
	if f.do == nil {
		return answer(http.StatusOK, `{}`), nil
	}
	return f.do(ctx, c, wait)
}

func (f *fake) Enqueue(_ context.Context, c *call.Call, key string, print [32]byte) (call.Result, bool, error) {
	f.queued, f.keys, f.prints = append(f.queued, c), append(f.keys, key), append(f.prints, print)
	known := f.result
	if known.ID == "" {
		known = call.Result{ID: "01J", Integration: c.Integration, State: call.StateQueued, AcceptedAt: c.AcceptedAt}
	}
	if f.stored == nil {
		return known, false, nil
	}
	seen, err := f.stored(c)
	return known, seen, err
}

func (f *fake) Result(_ context.Context, integration string, id call.ID, wait time.Duration) (call.Result, error) {
	f.lookups = append(f.lookups, wait)
	if f.result.ID != id || f.result.Integration != integration {
		return call.Result{}, call.ErrUnknown
	}
	if wait > 0 && f.end.ID == id {
		return f.end, nil
	}
	time.Sleep(wait)
	return f.result, nil
}

func (f *fake) List(_ context.Context, _ string, state call.State, after call.ID, n int) (found []call.Result, _ error) {
	for _, r := range f.listed {
		if r.State == state && r.ID > after && len(found) < n {
			found = append(found, r)
		}
	}
	return found, nil
}

func (f *fake) Resend(_ context.Context, _ string, id call.ID) error { return f.order("resend", id) }
func (f *fake) Drop(_ context.Context, _ string, id call.ID) error   { return f.order("drop", id) }

func (f *fake) order(order string, id call.ID) error {
	f.orders = append(f.orders, order+" "+string(id))
	return f.disobey
}

func (f *fake) Request(_ context.Context, _ string, id call.ID) (*call.Call, error) {
	for _, c := range f.calls {
		if c.ID == id {
			return c, nil
		}
	}
	return nil, call.ErrBodyGone
}

func (f *fake) Erase(_ context.Context, integration string, before time.Time) (call.Erasure, error) {
	return call.Erasure{Queued: 2, Parked: 1}, f.order("erase "+integration, call.ID(before.String()))
}

func (f *fake) Rooms(context.Context, *call.Call) []call.Room { return f.rooms }

func (f *fake) Saved(string) { f.saved++ }

func (f *fake) Plan() (*contract.Plan, <-chan struct{}) { return f.plan, nil }

func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// newPlan has two integrations: ccai waits and queues ticket creation, etl is refused at once.
func newPlan() *contract.Plan {
	queue := contract.Queue{MaxCalls: 10, MaxAgeSeconds: 3600}
	return &contract.Plan{
		Schema: contract.PlanSchema, Sequence: 1, Enforce: true,
		CRM:      contract.CRMIdentity{Namespace: "contact-centre", Name: "zendesk", UID: "u", Provider: "Zendesk", Account: "acme"},
		Endpoint: crmURL, Intake: contract.Intake{URL: intakeURL},
		Integrations: []contract.Integration{
			{
				Namespace: "contact-centre", Name: "ccai", Enforce: true, Default: contract.Wait, WaitSeconds: 8, Queue: queue,
				Operations: []contract.OperationOverflow{
					{Operation: "CreateTicket", Policy: contract.Queued},
					{Methods: []string{"GET"}, Path: "/api/v2/exports/**", Policy: contract.Reject},
				},
				Clients: []contract.Client{{Name: "adapter", APIKeySHA256: []string{hashOf(ccaiKey)}}},
			},
			{
				Namespace: "contact-centre", Name: "etl", Enforce: true, Default: contract.Reject, Queue: queue,
				Clients: []contract.Client{{Name: "job", APIKeySHA256: []string{hashOf(etlKey)}}},
			},
		},
	}
}

func newIntake(f *fake) *Intake {
	return New(Options{Calls: f, Log: slog.New(slog.DiscardHandler)})
}

func answer(status int, body string) *call.Answer {
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	return &call.Answer{Status: status, Header: header, Body: io.NopCloser(bytes.NewBufferString(body))}
}

// refuse is a scheduler that turns every call away.
func refuse(refusal *call.Refusal) func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
	return func(context.Context, *call.Call, time.Duration) (*call.Answer, error) { return nil, refusal }
}

// request is ccai's, unless header says otherwise.
func request(method, target, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, bytes.NewBufferString(body))
	r.Header.Set("Authorization", "Bearer "+ccaiKey)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func handle(f *fake, r *http.Request) *http.Response {
	recorder := httptest.NewRecorder()
	newIntake(f).ServeHTTP(recorder, r)
	return recorder.Result()
}

func bodyOf(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
