// SPDX-License-Identifier: Apache-2.0

// Package conformance says what any backlog.Store must do: random operations, with power loss between any two, compared after each with a model in memory.
// Tests of implementations call Run.
package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/reference"
)

// Volume is what a store is kept on.
type Volume interface {
	// Open opens the store that the volume holds, or makes one.
	Open() (backlog.Store, error)
	// PowerLoss leaves on the volume what was durable. The open store is not used any more; what it still does has no effect on the volume.
	PowerLoss()
}

var (
	integrations = []string{"a/x", "a/xy", "b/y"}
	start        = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	endOfTime    = start.Add(1000 * time.Hour)
)

// Run holds a store to its promises.
func Run(t *testing.T, newVolume func() Volume) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		volume := newVolume()
		store, err := volume.Open()
		if err != nil {
			t.Fatal(err)
		}
		r := &run{volume: volume, store: store, now: newModel(), identity: identity(t, store)}
		r.durable = []*model{r.now.clone()}
		defer func() { r.close(t) }()
		t.Repeat(map[string]func(*rapid.T){
			"append":     r.append,
			"decide":     r.decide,
			"together":   r.together,
			"learn":      r.learn,
			"forget":     r.forget,
			"count":      r.count,
			"conflict":   r.conflict,
			"keep":       r.keep,
			"tell":       r.tell,
			"overtake":   r.overtake,
			"a day":      r.day,
			"lose power": r.losePower,
			"start anew": r.restart,
			"":           r.compare,
		})
	})
}

// run is one sequence of operations.
type run struct {
	volume Volume
	store  backlog.Store
	refs   []backlog.Ref
	// now is what the store must hold; durable, what may be left after power loss: the last state that was made durable, or one after it.
	now     *model
	durable []*model
	charges uint64
	clock   time.Duration
	// identity of the volume, which it never changes.
	identity string
}

func identity(t *rapid.T, s backlog.Store) string {
	restored, err := s.Restore()
	if err != nil || restored.Volume == "" {
		t.Fatalf("the volume is %q: %v", restored.Volume, err)
	}
	return restored.Volume
}

func (r *run) close(t *rapid.T) {
	if err := r.store.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func (r *run) compare(t *rapid.T) {
	if diff := difference(r.now, observe(t, r.store, r.refs)); diff != "" {
		t.Fatalf("the store differs from the model (-model +store):\n%s", diff)
	}
}

func difference(m *model, o observation) string {
	return gocmp.Diff(m.observe(), o, cmpopts.EquateEmpty())
}

// made notes that everything so far is durable.
func (r *run) made() { r.durable = []*model{r.now.clone()} }

func (r *run) append(t *rapid.T) {
	integration := rapid.SampledFrom(integrations).Draw(t, "integration")
	n := len(r.refs)
	e := backlog.Entry{
		Call: &call.Call{
			Integration: integration, Client: "app", Method: "POST", Target: fmt.Sprintf("/%d", n), Body: []byte(fmt.Sprintf("body %d", n)),
			Operation:  rapid.SampledFrom([]string{"CreateTicket", "UpdateTicket", ""}).Draw(t, "operation"),
			Counts:     rapid.SampledFrom([]map[string]int64{nil, {"data": 3}}).Draw(t, "counts"),
			OrderKey:   rapid.SampledFrom(append(orderKeys, "")).Draw(t, "ordering key"),
			Urgency:    rapid.SampledFrom([]int8{0, 0, -3, 4}).Draw(t, "urgency"),
			Callback:   rapid.SampledFrom([]string{"", "one", "another"}).Draw(t, "callback"),
			Repeat:     call.Repeat{Class: call.RepeatKeyed, KeyValidFor: time.Hour},
			AcceptedAt: start.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "accepted")) * time.Millisecond), // clocks are set back, too
			Expires:    start.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "expires")) * time.Second),
		},
		DedupeKey:   rapid.SampledFrom([]string{"", "k1", "k2"}).Draw(t, "key"),
		Fingerprint: [32]byte{rapid.SampledFrom([]byte{1, 1, 1, 2}).Draw(t, "fingerprint")},
		MaxQueued:   int64(rapid.IntRange(1, 6).Draw(t, "max queued")),
		MaxBytes:    int64(rapid.SampledFrom([]int{0, 0, 6, 15, 30}).Draw(t, "max bytes")),
	}
	r.refer(t, e.Call)
	got, err := r.store.Append(e)
	first, known := r.now.keys[modelKey{integration, e.DedupeKey}]
	switch {
	case known && first.fingerprint != e.Fingerprint:
		if !errors.Is(err, call.ErrKeyReused) {
			t.Fatalf("a key used for another request: %v", err)
		}
	case known:
		if got.ID != first.id || !got.Seen || err != nil {
			t.Fatalf("a key seen before: %+v %v, want %s", got, err, first.id)
		}
	case r.now.refusesReferences(e.Call):
		if _, is := errors.AsType[*reference.Error](err); !is {
			t.Fatalf("a call that refers to one without success: %v", err)
		}
	case int64(len(r.now.in(integration, call.StateQueued))) >= e.MaxQueued:
		if !errors.Is(err, backlog.ErrQueueFull) {
			t.Fatalf("a full queue: %v", err)
		}
	case e.MaxBytes > 0 && r.now.tallies[integration].QueuedBytes+int64(len(e.Call.Body)) > e.MaxBytes:
		if !errors.Is(err, backlog.ErrQueueLarge) {
			t.Fatalf("a queue of too many bytes: %v", err)
		}
	default:
		r.appended(t, e, got, err)
	}
}

func (r *run) appended(t *rapid.T, e backlog.Entry, got backlog.Appended, err error) {
	if err != nil || got.Seen {
		t.Fatalf("a new call: %+v, %v", got, err)
	}
	for _, ref := range r.refs {
		if _, there := r.now.calls[ref]; ref.ID == got.ID || there && ref.ID > got.ID {
			t.Fatalf("ID %s was given after %s", got.ID, ref.ID)
		}
	}
	ref := backlog.Ref{Integration: e.Call.Integration, ID: got.ID}
	r.refs = append(r.refs, ref)
	r.now.append(e, got.ID)
	c := r.now.calls[ref]
	if ready := r.now.ready(c); got.Ready != ready || ready && got.Kind != c.head.Kind {
		t.Fatalf("a new call is ready: %v, of kind %d; want %v, of kind %d", got.Ready, got.Kind, ready, c.head.Kind)
	}
	first := got.Result()
	if known, err := r.store.Result(ref); err != nil || !reflect.DeepEqual(known, first) {
		t.Fatalf("what is known of a new call: %+v, and then %+v, %v", first, known, err)
	}
	r.made()
}

// in returns the calls in one of these states.
func (r *run) in(states ...call.State) []backlog.Ref {
	return slices.DeleteFunc(slices.Clone(r.refs), func(ref backlog.Ref) bool { return !slices.Contains(states, r.now.calls[ref].result.State) })
}

func (r *run) batch() *backlog.Batch {
	r.clock += time.Second
	return &backlog.Batch{Clock: backlog.Clock{Store: r.clock, Machine: backlog.Machine{BootID: "boot", Boot: 2 * r.clock}, Horizon: r.now.clock.Horizon}}
}

// commit commits a batch; synced says whether it holds what must survive.
func (r *run) commit(t *rapid.T, b *backlog.Batch, synced bool) {
	got, err := r.store.Commit(b)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	before := r.now.clone()
	r.now.commit(b)
	for i := range got {
		if got[i].Unfillable != "" {
			got[i].Unfillable = unfillable
		}
	}
	slices.SortFunc(got, func(a, b backlog.Ready) int {
		return cmp.Or(strings.Compare(a.Integration, b.Integration), strings.Compare(string(a.ID), string(b.ID)))
	})
	if diff := gocmp.Diff(r.now.readySince(before), got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("the calls that have become ready (-model +store):\n%s", diff)
	}
	if synced {
		r.made()
	} else {
		r.durable = append(r.durable, r.now.clone())
	}
}

// decide takes calls along ways that are open to them, with the charges that belong to that.
func (r *run) decide(t *rapid.T) {
	b, after := r.batch(), r.now.clone()
	var decided []backlog.Ref
	for range rapid.IntRange(1, 3).Draw(t, "calls") {
		refs := slices.DeleteFunc(r.in(call.StateQueued, call.StateSent, call.StateParked, call.StateDead), func(ref backlog.Ref) bool {
			return slices.Contains(decided, ref) || r.now.merged(ref)
		})
		if len(refs) == 0 {
			break
		}
		ref := rapid.SampledFrom(refs).Draw(t, "call")
		decided = append(decided, ref)
		tr := r.decideOn(t, b, after.calls[ref], after.ready(after.calls[ref]))
		b.Transitions = append(b.Transitions, tr)
		after.transit(tr)
	}
	if len(decided) == 0 {
		t.Skip("no call to decide on")
	}
	r.commit(t, b, true)
}

func (r *run) decideOn(t *rapid.T, b *backlog.Batch, c modelCall, ready bool) backlog.Transition {
	ref := backlog.Ref{Integration: c.call.Integration, ID: c.call.ID}
	tr := backlog.Transition{Ref: ref, From: c.result.State, At: start.Add(r.clock), Progress: c.head.Progress}
	switch {
	case tr.From == call.StateQueued && !ready:
		tr.To = call.StateDead
	case tr.From == call.StateQueued:
		tr.To = rapid.SampledFrom([]call.State{call.StateSent, call.StateSent, call.StateParked, call.StateDead}).Draw(t, "to")
	case tr.From == call.StateSent:
		tr.To = rapid.SampledFrom([]call.State{call.StateQueued, call.StateParked, call.StateSucceeded, call.StateFailed}).Draw(t, "to")
		if rapid.IntRange(0, 3).Draw(t, "rest") > 0 { // else the rest of a long answer is still to come
			r.endCharges(t, b, ref)
		}
	case tr.From == call.StateParked:
		tr.To = rapid.SampledFrom([]call.State{call.StateDead, call.StateQueued}).Draw(t, "to")
	default:
		tr.To = call.StateQueued
	}
	if tr.From != call.StateSent && tr.To == call.StateQueued {
		tr.Progress, tr.Expires = backlog.Progress{}, start.Add(r.clock+time.Minute)
	}
	if tr.To == call.StateSent {
		r.charges++
		tr.Progress.Attempts++
		tr.Progress.FirstSent = start
		b.Charges = append(b.Charges, backlog.Charge{ID: r.charges, Integration: ref.Integration, Amounts: amounts, Open: true, Call: ref.ID})
	}
	if tr.To == call.StateParked || tr.To == call.StateDead {
		tr.Reason = "a reason"
	}
	if ended(tr.To) {
		tr.KeepUntil = start.Add(24*time.Hour + r.clock)
	}
	if tr.To == call.StateSucceeded || tr.To == call.StateFailed {
		tr.Answer = answerTo(t, ref.ID)
	}
	return tr
}

// amounts are what every open charge takes.
var amounts = []backlog.Amount{{Subject: "priced", Credential: "user", N: 3}, {PerRecord: true, Execution: true}}

// endCharges ends or refunds the call's open charges.
func (r *run) endCharges(t *rapid.T, b *backlog.Batch, ref backlog.Ref) {
	for _, id := range slices.Sorted(maps.Keys(r.now.charges)) {
		c := r.now.charges[id]
		if !c.Open || c.Call != ref.ID {
			continue
		}
		if rapid.Bool().Draw(t, "refund") {
			b.Refunds = append(b.Refunds, id)
			continue
		}
		c.Open, c.End, c.InDoubt = false, r.clock, true
		b.Charges = append(b.Charges, c)
	}
}

func (r *run) forget(t *rapid.T) {
	refs := r.in(call.StateSucceeded, call.StateFailed, call.StateDead)
	if len(refs) == 0 {
		t.Skip("no call to forget")
	}
	b := r.batch()
	b.ForgetCalls = []backlog.Ref{rapid.SampledFrom(refs).Draw(t, "call")}
	r.commit(t, b, true)
}

// count commits what may be lost: tallies, charges that end, the horizon.
func (r *run) count(t *rapid.T) {
	b := r.batch()
	b.Tallies = map[string]backlog.Tally{"b/y": {Refused: 1, Forwarded: 2}}
	r.charges++
	b.Charges = []backlog.Charge{{ID: r.charges, Integration: "b/y", Record: 7, JobEnded: true, End: r.clock}}
	if rapid.Bool().Draw(t, "memory") {
		b.Memory = []byte{byte(r.charges)}
	}
	if rapid.Bool().Draw(t, "forget charges") {
		b.Clock.Horizon = r.clock - 3*time.Second
	}
	r.commit(t, b, false)
}

// conflict commits a batch with one transition from a state in which the call is not: nothing of it may take effect.
func (r *run) conflict(t *rapid.T) {
	refs := r.in(call.StateQueued)
	if len(refs) == 0 {
		t.Skip("no call to take for another")
	}
	b := r.batch()
	b.Plan = []byte("never")
	b.Transitions = []backlog.Transition{{Ref: rapid.SampledFrom(refs).Draw(t, "call"), From: call.StateSent, To: call.StateQueued}}
	if _, err := r.store.Commit(b); !errors.Is(err, backlog.ErrConflict) {
		t.Fatalf("a conflict: %v", err)
	}
}

// overtake commits a batch that sends a call although it is another one's turn: nothing of it may take effect.
func (r *run) overtake(t *rapid.T) {
	refs := slices.DeleteFunc(r.in(call.StateQueued), func(ref backlog.Ref) bool { return r.now.ready(r.now.calls[ref]) })
	if len(refs) == 0 {
		t.Skip("no call stands in line")
	}
	b := r.batch()
	b.Plan = []byte("never")
	to := rapid.SampledFrom([]call.State{call.StateSent, call.StateParked}).Draw(t, "to")
	b.Transitions = []backlog.Transition{{Ref: rapid.SampledFrom(refs).Draw(t, "call"), From: call.StateQueued, To: to}}
	if _, err := r.store.Commit(b); !errors.Is(err, backlog.ErrConflict) {
		t.Fatalf("sent before its turn: %v", err)
	}
}

// day sends each ready call and ends it, until none is ready: what is not parked, sent or behind such a call is worked off.
func (r *run) day(t *rapid.T) {
	for {
		refs := slices.DeleteFunc(r.in(call.StateQueued), func(ref backlog.Ref) bool { return !r.now.ready(r.now.calls[ref]) })
		if len(refs) == 0 {
			return
		}
		b := r.batch()
		for _, ref := range refs {
			b.Transitions = append(b.Transitions, backlog.Transition{
				Ref: ref, From: call.StateQueued, To: call.StateDead, At: start.Add(r.clock), Reason: "a reason", KeepUntil: start.Add(24 * time.Hour),
			})
		}
		r.commit(t, b, true)
	}
}

// losePower continues with what is left: the last durable state, or one after it.
func (r *run) losePower(t *rapid.T) {
	r.volume.PowerLoss()
	r.reopen(t)
	left := observe(t, r.store, r.refs)
	for _, m := range slices.Backward(r.durable) {
		if difference(m, left) == "" {
			r.now = m
			r.made()
			return
		}
	}
	t.Fatalf("after power loss the store holds neither the durable state nor a later one (-durable +store):\n%s", difference(r.durable[0], left))
}

// restart closes the store and opens it again.
func (r *run) restart(t *rapid.T) {
	r.close(t)
	r.reopen(t)
	r.made()
}

func (r *run) reopen(t *rapid.T) {
	store, err := r.volume.Open()
	if err != nil {
		t.Fatalf("open again: %v", err)
	}
	r.store = store
	if now := identity(t, store); now != r.identity {
		t.Fatalf("volume %q has become %q", r.identity, now)
	}
}
