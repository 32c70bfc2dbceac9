// SPDX-License-Identifier: Apache-2.0

package callbacks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// world has a sender on a real store, and receivers that answer as each test wants.
type world struct {
	t     *testing.T
	store *disk.Store
	files fstest.MapFS

	mu      sync.Mutex
	plan    *contract.Plan
	changed chan struct{}
	asked   []*http.Request
	bodies  []string
	// answer is how the receiver at a URL answers.
	answer func(r *http.Request) (*http.Response, error)

	sender *Sender
}

func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("thanks"))}, nil
	}
}

// hang answers when nobody listens any more.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// RoundTrip implements http.RoundTripper.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.asked = append(w.asked, r)
	w.bodies = append(w.bodies, string(body))
	answer := w.answer
	w.mu.Unlock()
	return answer(r)
}

func (w *world) answers(how func(*http.Request) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = how
}

// requests are how many came to the URL.
func (w *world) requests(url string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.asked {
		if r.URL.String() == url {
			n++
		}
	}
	return n
}

// Open implements fs.FS with the Secrets.
func (w *world) Open(name string) (fs.File, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.files.Open(name)
}

// keyIs puts a key in place of the one in the Secret; nil takes it away.
func (w *world) keyIs(key []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.files = (fstest.MapFS{}); key != nil {
		w.files["keys/a"] = &fstest.MapFile{Data: key}
	}
}

func (w *world) inForce() (*contract.Plan, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.plan, w.changed
}

func (w *world) apply(change func(*contract.Integration)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := *w.plan
	next.Integrations = []contract.Integration{next.Integrations[0]}
	change(&next.Integrations[0])
	close(w.changed)
	w.plan, w.changed = &next, make(chan struct{})
}

const one, other = "https://one.example.com/told", "https://other.example.com/told"

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := disk.Open(disk.Options{
		FS: vfs.NewMem(), Dir: "data", Entropy: rand.NewChaCha8([32]byte{}), Logger: slog.New(slog.DiscardHandler), Fatal: func(why string) { panic(why) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, store: store, files: fstest.MapFS{"keys/a": {Data: []byte(published)}}, changed: make(chan struct{}), answer: status(http.StatusNoContent),
		plan: &contract.Plan{
			CRM: contract.CRMIdentity{Namespace: "ns", Name: "crm"}, Intake: contract.Intake{URL: "https://intake.test"},
			Integrations: []contract.Integration{{Namespace: "ns", Name: "app", Callbacks: &contract.Callbacks{
				Secret: "keys", Endpoints: []contract.CallbackEndpoint{{Name: "one", URL: one}, {Name: "other", URL: other}},
			}}},
		},
	}
	w.sender = New(Options{
		Store: store, Plan: w.inForce, Secrets: w, Transport: w, Now: time.Now, Random: rand.New(rand.NewPCG(1, 1)), //nolint:gosec // repeatable on purpose
		Log: slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.sender.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// end has n calls end whose results an endpoint is told.
func (w *world) end(endpoint string, n int) (ids []call.ID) {
	w.t.Helper()
	batch := &backlog.Batch{}
	for range n {
		a, err := w.store.Append(backlog.Entry{MaxQueued: 1000, Call: &call.Call{
			Integration: "ns/app", Method: "POST", Target: "/t", Callback: endpoint, AcceptedAt: time.Now(), Expires: time.Now().Add(time.Hour),
		}})
		if err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, a.ID)
		batch.Transitions = append(batch.Transitions, backlog.Transition{
			Ref: backlog.Ref{Integration: "ns/app", ID: a.ID}, From: call.StateQueued, To: call.StateSucceeded, At: time.Now(), KeepUntil: time.Now().Add(time.Hour),
			Answer: &backlog.Answer{Status: http.StatusCreated, Body: []byte("the answer")},
		})
	}
	if _, err := w.store.Commit(batch); err != nil {
		w.t.Fatal(err)
	}
	return ids
}

// counts holds the tally against what is wanted.
func (w *world) counts(waiting, delivered, givenUp int64) {
	w.t.Helper()
	synctest.Wait()
	t := w.store.Tally("ns/app")
	if got, want := []int64{t.CallbacksWaiting, t.CallbacksDelivered, t.CallbacksGivenUp}, []int64{waiting, delivered, givenUp}; !cmp.Equal(got, want) {
		w.t.Errorf("waiting, delivered and given up are %v, want %v", got, want)
	}
}

func (w *world) report() (r contract.CallbacksReport) {
	w.sender.Report("ns/app", &r)
	return r
}

func TestAResultIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		began := time.Now().UTC()
		id := w.end("one", 1)[0]
		w.counts(0, 1, 0)
		r, body := w.asked[0], w.bodies[0]
		var got message
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		want := message{Type: "call.succeeded", Timestamp: began, Data: data{
			ID: id, CRM: "ns/crm", Integration: "ns/app", State: call.StateSucceeded, Status: http.StatusCreated, AcceptedAt: began, Result: "https://intake.test/-/results/" + string(id),
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if strings.Contains(body, "the answer") {
			t.Errorf("the CRM's answer is told: %s", body)
		}
		if r.Method != http.MethodPost || r.URL.String() != one || r.Header.Get("Webhook-Id") != string(id)+"-1" || r.Header.Get("Webhook-Timestamp") != fmt.Sprint(began.Unix()) ||
			r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
	})
}

// TestAFailedOneIsTriedForADay: with the same ID, ever less often, and is given up then.
func TestAFailedOneIsTriedForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.answers(status(http.StatusInternalServerError))
		w.end("one", 1)
		time.Sleep(23 * time.Hour)
		w.counts(1, 0, 0)
		time.Sleep(2 * time.Hour)
		w.counts(0, 0, 1)
		attempts := w.requests(one)
		if attempts < 14 || attempts > 30 {
			t.Errorf("it was tried %d times", attempts)
		}
		for _, r := range w.asked {
			if r.Header.Get("Webhook-Id") != w.asked[0].Header.Get("Webhook-Id") {
				t.Errorf("the ID %s has become %s", w.asked[0].Header.Get("Webhook-Id"), r.Header.Get("Webhook-Id"))
			}
		}
		time.Sleep(24 * time.Hour)
		if n := w.requests(one); n != attempts {
			t.Errorf("after it was given up it was tried %d times more", n-attempts)
		}
		if at := w.report().GivenUpAt; at == nil {
			t.Error("the report does not say that one was given up")
		}
	})
}

// TestAReceiverThatHangsIsLeftAlone: it is asked ever less often, however many callbacks wait for it, another one takes its own meanwhile, and when it is back it is
// told everything.
func TestAReceiverThatHangsIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.answers(func(r *http.Request) (*http.Response, error) {
			if r.URL.String() == one {
				return hang(r)
			}
			return status(http.StatusOK)(r)
		})
		w.end("one", 300)
		w.end("other", 5)
		w.counts(300, 5, 0)
		if n := w.requests(one); n != perEndpoint {
			t.Errorf("%d requests to the receiver that hangs are under way, want %d", n, perEndpoint)
		}
		time.Sleep(time.Hour)
		if n := w.requests(one); n > 75 {
			t.Errorf("it was asked %d times in an hour", n)
		}
		if failing := w.report().Failing; len(failing) != 1 || failing[0].Endpoint != "one" || failing[0].Detail != "no answer came within 10s" {
			t.Errorf("the report says %+v", failing)
		}
		w.answers(status(http.StatusOK))
		time.Sleep(3 * time.Hour)
		w.counts(0, 305, 0)
		if failing := w.report().Failing; len(failing) > 0 {
			t.Errorf("the report says %+v", failing)
		}
	})
}

// TestABadOneStopsNoOther: a receiver that takes all but one is told all others.
func TestABadOneStopsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var bad string
		w.answers(func(r *http.Request) (*http.Response, error) {
			if bad == "" || r.Header.Get("Webhook-Id") == bad {
				bad = r.Header.Get("Webhook-Id")
				return status(http.StatusBadRequest)(r)
			}
			return status(http.StatusOK)(r)
		})
		w.end("one", 1)
		synctest.Wait()
		w.end("one", 50)
		time.Sleep(10 * time.Second)
		w.counts(1, 50, 0)
	})
}

func TestWhatEndsCallbacks(t *testing.T) {
	for name, then := range map[string]func(w *world){
		"410":                     func(w *world) { w.answers(status(http.StatusGone)) },
		"the endpoint is gone":    func(w *world) { w.apply(func(i *contract.Integration) { i.Callbacks = onlyOther }) },
		"there are none any more": func(w *world) { w.apply(func(i *contract.Integration) { i.Callbacks = nil }) },
		"a redirect, for a day":   func(w *world) { w.answers(status(http.StatusFound, "Location", other)); time.Sleep(25 * time.Hour) },
		"the key away for a day":  func(w *world) { w.keyIs(nil); time.Sleep(25 * time.Hour) },
		"the caller away, a day": func(w *world) {
			w.apply(func(i *contract.Integration) { i.Name = "another" })
			time.Sleep(25 * time.Hour)
		},
		"a pause of more than one": func(w *world) {
			w.answers(status(http.StatusTooManyRequests, "Retry-After", "3600"))
			time.Sleep(26 * time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.answers(status(http.StatusServiceUnavailable))
				w.end("one", 5)
				w.counts(5, 0, 0)
				then(w)
				time.Sleep(30 * time.Second)
				w.counts(0, 0, 5)
				if n := w.requests(other); n > 0 {
					t.Errorf("%d requests went to the other endpoint", n)
				}
			})
		})
	}
}

var onlyOther = &contract.Callbacks{Secret: "keys", Endpoints: []contract.CallbackEndpoint{{Name: "other", URL: other}}}

// TestCallbacksWaitForTheKey: nothing leaves unsigned.
func TestCallbacksWaitForTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.keyIs(nil)
		w.end("one", 3)
		time.Sleep(time.Hour)
		w.counts(3, 0, 0)
		if trouble := w.report().KeyTrouble; !strings.Contains(trouble, "Secret keys is missing") {
			t.Errorf("the report says %q", trouble)
		}
		w.keyIs([]byte(published))
		time.Sleep(lookEvery)
		w.counts(0, 3, 0)
	})
}

// TestRetryAfterIsFollowed, by all that waits for the receiver.
func TestRetryAfterIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.answers(status(http.StatusTooManyRequests, "Retry-After", "600"))
		w.end("one", 1)
		synctest.Wait()
		w.end("one", 20)
		w.answers(status(http.StatusOK))
		time.Sleep(599 * time.Second)
		w.counts(21, 0, 0)
		time.Sleep(2 * time.Second)
		w.counts(0, 21, 0)
	})
}
