// SPDX-License-Identifier: Apache-2.0

// Package backlog is the dispatcher's durable memory: acknowledged calls with their states and results, charges of the ledger, the plan in force, and how far
// the ledger's clock had come.
//
// Two logs stand behind one interface. Append takes new calls from many writers; Commit takes the decisions of one, the scheduler. Package disk keeps both in
// Pebble on the pod's volume; package conformance says what any implementation must do.
package backlog

import (
	"errors"
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Errors of a Store.
var (
	// ErrStoreFull: the volume has no room for another call. Calls that are in the store already can still end.
	ErrStoreFull = errors.New("the store has no room for another call")
	// ErrQueueFull: the integration has as many calls queued as its entry allowed.
	ErrQueueFull = errors.New("the integration's queue is full")
	// ErrConflict: a transition starts from a state in which the call is not. The batch was not committed.
	ErrConflict = errors.New("the call is in another state")
)

// Store keeps what must survive a crash. Append and the reads may be called by many goroutines, Commit by one at a time.
type Store interface {
	// Append makes a call durable, as queued, and returns its ID. When the integration has used e.DedupeKey before, nothing is stored: it returns the first
	// call's ID and seen, or call.ErrKeyReused if that had another fingerprint. Other errors are ErrStoreFull and ErrQueueFull.
	Append(e Entry) (id call.ID, seen bool, err error)
	// Commit makes all of b durable or nothing; batches come into effect in the order of their commits. A batch that holds nothing but charges' ends, refunds,
	// tallies and the clock may be lost by a crash as long as no later batch was committed: losing it keeps charges for longer than needed.
	Commit(b *Batch) error

	// Heads returns the first n queued calls of an integration behind after, in the order of acceptance.
	Heads(integration string, after call.ID, n int) ([]Head, error)
	// Call returns a call as it is to be sent, or call.ErrUnknown when it has ended or never was.
	Call(ref Ref) (*call.Call, error)
	// Result returns what is known of a call, or call.ErrUnknown.
	Result(ref Ref) (call.Result, error)
	// Due returns up to n calls whose time is over at the moment at (see Due), the most overdue first, and when the next one after these is due; zero if none is.
	Due(at time.Time, n int) (due []Due, next time.Time, err error)
	// Room returns ErrStoreFull while Append would.
	Room() error
	// Tally returns an integration's tally, Tallies those of all integrations that have one.
	Tally(integration string) Tally
	Tallies() map[string]Tally
	// Restore returns what the scheduler starts from.
	Restore() (Restored, error)

	Close() error
}

// Ref names an acknowledged call.
type Ref struct {
	Integration string
	ID          call.ID
}

// Entry is a call to be stored.
type Entry struct {
	// Call has no ID yet; its Expires must be set.
	Call *call.Call
	// DedupeKey, if not empty, is the client's key for this call; it is known until the call's result is forgotten.
	DedupeKey   string
	Fingerprint [32]byte
	// MaxQueued bounds the integration's queued calls, this one included.
	MaxQueued int64
}

// Progress is what earlier sendings of a call left behind.
type Progress struct {
	// Attempts counts sendings that were not refused.
	Attempts int `json:"attempts,omitempty"`
	// FirstSent is when the first of Attempts was sent.
	FirstSent time.Time `json:"firstSent,omitzero"`
	// NotBefore is when the next sending may take place.
	NotBefore time.Time `json:"notBefore,omitzero"`
}

// Head is what is needed to decide on a queued call. Its body stays in the store.
type Head struct {
	ID         call.ID
	Operation  string
	Repeat     call.Repeat
	AcceptedAt time.Time
	Expires    time.Time
	Progress
}

// Due is a call whose time is over: a queued or parked one has reached its Expires, an ended one is to be forgotten.
type Due struct {
	Ref
	State call.State
	// Reason is why a parked call was parked.
	Reason string
}

// Batch is what one turn of the scheduler decided.
type Batch struct {
	Transitions []Transition
	// Charges that are new or whose end became known, each at most once.
	Charges []Charge
	// Refunds are open charges for which nothing was sent.
	Refunds []uint64
	// ForgetCalls removes ended calls with their results and keys.
	ForgetCalls []Ref
	// Tallies are added to the stored ones. The states in them are ignored: transitions keep those.
	Tallies map[string]Tally
	// Plan, if set, is the plan in force.
	Plan []byte
	// Clock is how far time has come. It is required. Ended charges before its Horizon are forgotten.
	Clock Clock
}

// Empty reports whether nothing was decided.
func (b *Batch) Empty() bool {
	return len(b.Transitions) == 0 && len(b.Charges) == 0 && len(b.Refunds) == 0 && len(b.ForgetCalls) == 0 && len(b.Tallies) == 0 && b.Plan == nil
}

// Transition takes an acknowledged call from one state to another.
type Transition struct {
	Ref
	From, To call.State
	At       time.Time
	Progress Progress
	// Reason is set with StateParked and StateDead.
	Reason string
	// Answer is set with StateSucceeded and StateFailed.
	Answer *Answer
	// KeepUntil is set with the states that end a call: when its result may be forgotten.
	KeepUntil time.Time
}

// Answer is the CRM's answer to a queued call.
type Answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"-"`
}

// Charge is a charge of the ledger.
type Charge struct {
	ID          uint64 `json:"id"`
	Integration string `json:"integration"`
	Cost        int64  `json:"cost"`
	// Open: the call may be on its way, no end is known.
	Open bool `json:"-"`
	// End is when the answer was read, or when listening ended plus the server's longest delay, on the clock of the store (see Clock).
	End time.Duration `json:"-"`
	// InDoubt: whether the call arrived at all is not known.
	InDoubt bool `json:"inDoubt,omitempty"`
	// Call is the acknowledged call that was charged; empty for one that somebody waited for.
	Call call.ID `json:"call,omitempty"`
}

// Clock is a reading of all clocks at one moment. It tells a restarted dispatcher how old the charges are.
type Clock struct {
	// Store is the clock of the store: how long dispatchers have worked on it, and have been down as far as that can be proven. It never goes back.
	Store time.Duration `json:"store"`
	// BootID identifies the machine's boot, and Boot is how long ago it was, sleep included.
	BootID string        `json:"bootID"`
	Boot   time.Duration `json:"boot"`
	// Horizon: charges that ended before it, on the clock of the store, were forgotten. Zero if none was.
	Horizon time.Duration `json:"horizon,omitempty"`
}

// Restored is what a scheduler starts from; the zero value on a new volume.
type Restored struct {
	Plan  []byte
	Clock Clock
	// Charges that have ended, in the order of their ends, then the open ones in the order of their IDs.
	Charges []Charge
	// Sent calls have an open charge: it is not known what became of them.
	Sent []SentCall
}

// SentCall is a call that was on its way when the store was left.
type SentCall struct {
	Ref
	Head Head
}
