// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// receiverHost is where integrations are told of results.
const receiverHost = "receiver.test"

// receiverKey signs what they are told.
const receiverKey = "the key of 24 bytes, ok?"

var receiverKeys = fstest.MapFS{"told/key": {Data: []byte("whsec_" + base64.StdEncoding.EncodeToString([]byte(receiverKey)))}}

// receiver notes what it is told. It shares no code with what tells it.
type receiver struct {
	behave behaviour

	mu     sync.Mutex
	random *rand.Rand
	// calm: it takes all that comes.
	calm bool
	// said are the bodies by message ID; states, those that the dispatcher tells of each call, by the message's number.
	said   map[string]string
	states map[call.ID]map[string]call.State
	// requests came in all, taken were answered with 2xx.
	requests, taken int
	problems        []string
}

func newReceiver(seed uint64, behave behaviour) *receiver {
	return &receiver{
		behave: behave, random: rand.New(rand.NewPCG(seed, 11)), //nolint:gosec // repeatable on purpose
		said: map[string]string{}, states: map[call.ID]map[string]call.State{},
	}
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil { // the machine lost its power
		return
	}
	r.mu.Lock()
	r.requests++
	r.check(q, body)
	calm, random := r.calm, rand.New(rand.NewPCG(r.random.Uint64(), 1)) //nolint:gosec // repeatable on purpose
	r.mu.Unlock()
	if !calm && !r.behave(w, q, random) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken++
	r.note(q.Header.Get("Webhook-Id"), body)
	w.WriteHeader(http.StatusNoContent)
}

// check holds a request to the scheme: the signature is right, the time is that of the request, and the same ID always says the same. The caller holds the lock.
func (r *receiver) check(q *http.Request, body []byte) {
	id, at := q.Header.Get("Webhook-Id"), q.Header.Get("Webhook-Timestamp")
	mac := hmac.New(sha256.New, []byte(receiverKey))
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, at, body) // hashes take all
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); q.Header.Get("Webhook-Signature") != want {
		r.problems = append(r.problems, fmt.Sprintf("callback %s is signed %q, want %q", id, q.Header.Get("Webhook-Signature"), want))
	}
	var seconds int64
	if _, err := fmt.Sscan(at, &seconds); err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		r.problems = append(r.problems, fmt.Sprintf("callback %s is of %s, and it is %d: %v", id, at, time.Now().Unix(), err))
	}
	if said, before := r.said[id]; before && said != string(body) {
		r.problems = append(r.problems, fmt.Sprintf("callback %s says %s, and said %s", id, body, said))
	}
	r.said[id] = string(body)
}

func (r *receiver) note(message string, body []byte) {
	var said struct {
		Type string
		Data struct {
			ID     call.ID
			State  call.State
			Result string
		}
	}
	if err := json.Unmarshal(body, &said); err != nil || said.Type != "call."+string(said.Data.State) || !strings.HasSuffix(said.Data.Result, "/-/results/"+string(said.Data.ID)) {
		r.problems = append(r.problems, fmt.Sprintf("callback %s says %s: %v", message, body, err))
		return
	}
	if r.states[said.Data.ID] == nil {
		r.states[said.Data.ID] = map[string]call.State{}
	}
	r.states[said.Data.ID][message] = said.Data.State
}

// untold says of which promises nobody was told how they ended, when the receiver has gone on for hours as it does, and then taken all that comes; and what else was
// wrong.
func (w *world) untold() []string {
	r := w.receiver
	time.Sleep(5 * time.Hour)
	r.mu.Lock()
	r.calm = true
	r.mu.Unlock()
	time.Sleep(3 * time.Hour) // longer than the longest pause
	r.mu.Lock()
	defer r.mu.Unlock()
	problems := r.problems
	for _, p := range w.promises {
		if p.final == nil || p.final.State == "" {
			continue // judged already
		}
		last := fmt.Sprintf("%s-%d", p.id, len(r.states[p.id]))
		if got := r.states[p.id][last]; got != p.final.State {
			problems = append(problems, fmt.Sprintf("call %s is %s, and its last callback says %q: %v", p.id, p.final.State, got, r.states[p.id]))
		}
	}
	snap, err := w.machine.Load().Scheduler.Snapshot(context.Background())
	if err != nil {
		return append(problems, err.Error())
	}
	for _, i := range snap.Integrations {
		if left := i.Callbacks.Waiting + i.Callbacks.GivenUp; left != 0 {
			problems = append(problems, fmt.Sprintf("%d callbacks of %s wait or were given up", left, i.Name))
		}
	}
	return problems
}

// behaviour deals with a request of a dispatcher, and returns false unless the receiver is to take it.
type behaviour func(w http.ResponseWriter, r *http.Request, random *rand.Rand) bool

func failsAtTimes(w http.ResponseWriter, _ *http.Request, random *rand.Rand) bool {
	switch random.IntN(6) {
	case 0:
		w.WriteHeader(http.StatusInternalServerError)
	case 1:
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusServiceUnavailable)
	case 2:
		panic(http.ErrAbortHandler)
	default:
		return true
	}
	return false
}

// isSlow, at times for longer than is waited for.
func isSlow(_ http.ResponseWriter, r *http.Request, random *rand.Rand) bool {
	sleep(r.Context(), time.Duration(random.Int64N(int64(14*time.Second))))
	return r.Context().Err() == nil
}

func isAway(w http.ResponseWriter, _ *http.Request, _ *rand.Rand) bool {
	w.WriteHeader(http.StatusBadGateway)
	return false
}

// TestResultsAreTold: whatever the receiver does and however often the power is lost, each result is told at least once, under one ID, signed.
func TestResultsAreTold(t *testing.T) {
	for name, behave := range map[string]behaviour{
		"to one that fails at times": failsAtTimes, "to one that is slow": isSlow, "to one that is away for hours": isAway,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= 4; seed++ {
				synctest.Test(t, func(t *testing.T) {
					s := choose(seed)
					s.crashes, s.longOutage = 3, false
					s.receiver = newReceiver(seed, behave)
					for i := range s.plan.Integrations {
						s.plan.Integrations[i].Callbacks = &contract.Callbacks{
							Secret: "told", Endpoints: []contract.CallbackEndpoint{{Name: "app", URL: "http://" + receiverHost + "/results"}},
						}
					}
					v := run(t, seed, s)
					v.hold(t)
					r := s.receiver
					t.Logf("seed %d: %d promises, %d losses of power; %d callbacks in %d requests, %d of them taken",
						seed, v.promised, v.happened.crashes, len(r.said), r.requests, r.taken)
					if v.promised == 0 || len(r.said) < v.promised || r.requests <= len(r.said) {
						t.Errorf("%d callbacks in %d requests for %d promises: the world was too kind", len(r.said), r.requests, v.promised)
					}
				})
			}
		})
	}
}
