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
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Errors of a Store.
var (
	// ErrStoreFull: the volume has no room for another call. Calls that are in the store already can still end.
	ErrStoreFull = errors.New("the store has no room for another call")
	// ErrQueueFull: the integration has as many calls queued as its entry allowed.
	ErrQueueFull = errors.New("the integration's queue is full")
	// ErrQueueLarge: the bodies of the integration's queued calls would be larger than its entry allowed.
	ErrQueueLarge = errors.New("the integration's queue has no room for the call's body")
	// ErrConflict: a transition starts from a state in which the call is not, or sends or parks one whose turn it is not. The batch was not committed.
	ErrConflict = errors.New("the call is in another state")
	// ErrErased: the key that encrypted the call was removed by order. What it would send, and what was answered, is gone for good.
	ErrErased = errors.New("erased by order")
)

// MaxLine is how many calls of an ordering key's line are counted at most, for a result's Turns.
const MaxLine = 1024

// Erased is the reason of a call whose contents were erased.
const Erased = "erased by order"

// Store keeps what must survive a crash. Append and the reads may be called by many goroutines, Commit by one at a time.
type Store interface {
	// Append makes a call durable, as queued. When the integration has used e.DedupeKey before, nothing is stored: it returns the first call's ID and Seen, or
	// call.ErrKeyReused if that had another fingerprint. Other errors are ErrStoreFull, ErrQueueFull, ErrQueueLarge, a *reference.Error if the call refers to one that
	// is not known or has ended without success, and sealing.ErrNoKey while what is stored has to be encrypted and the key for it is missing.
	Append(e Entry) (Appended, error)
	// Commit makes all of b durable or nothing; batches come into effect in the order of their commits. A batch that holds nothing but charges' ends, refunds,
	// tallies, memory and the clock may be lost by a crash as long as no later batch was committed: losing it keeps charges for longer than needed.
	//
	// It returns the calls that are ready now and were not before: those that were queued again, and those whose turn has come because the one before them with
	// their ordering key has ended.
	Commit(b *Batch) ([]Ready, error)

	// Heads returns the first n ready calls of an integration and a kind behind after, in the order of acceptance. A queued call is ready unless it has an
	// ordering key and it is another one's turn (a call with the same key is sent or parked, or it is queued and was accepted before), or refers to one that has not
	// ended. References in targets are filled.
	Heads(integration string, kind Kind, after call.ID, n int) ([]Head, error)
	// Kinds returns the kinds of an integration that have ready calls, and perhaps some that have none any more; at most MaxKinds.
	Kinds(integration string) []Kind
	// Call returns a call as it is to be sent, its references filled, or call.ErrUnknown when it has ended or never was, ErrErased, sealing.ErrNoKey, or a
	// *reference.Error when it can never be.
	Call(ref Ref) (*call.Call, error)
	// Request returns a call as it was accepted, in whatever state it is as long as that is kept: call.ErrUnknown if it never was, call.ErrBodyGone if it succeeded,
	// failed or was erased, or sealing.ErrNoKey.
	Request(ref Ref) (*call.Call, error)
	// Result returns what is known of a call, or call.ErrUnknown; sealing.ErrNoKey if it has an answer that cannot be opened now. An answer that was erased is empty
	// but for its status, and Erased is the reason.
	Result(ref Ref) (call.Result, error)
	// List returns the first n calls of an integration behind after that are in the state, StateParked or StateDead, in the order of acceptance.
	List(integration string, state call.State, after call.ID, n int) ([]call.Result, error)
	// Line counts the calls of an integration with an ordering key that have not ended, to at most n. One that is sent next cannot be before they have.
	Line(integration, orderKey string, n int64) (int64, error)
	// Holds says how many bytes a call's body has and whether it is there, or returns call.ErrUnknown. A call that succeeded or failed has none any more, a dead one
	// keeps it until it is forgotten.
	Holds(ref Ref) (bytes int64, held bool, err error)
	// Due returns up to n calls whose time is over at the moment at (see Due), the most overdue first, and when the next one after these is due; zero if none is.
	Due(at time.Time, n int) (due []Due, next time.Time, err error)
	// Room returns ErrStoreFull while Append would.
	Room() error
	// Tally returns an integration's tally, Tallies those of all integrations that have one.
	Tally(integration string) Tally
	Tallies() map[string]Tally
	// Restore returns what the scheduler starts from.
	Restore() (Restored, error)

	Callbacks
	Vault
	Keys
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
	// MaxQueued bounds the integration's queued calls, this one included, MaxBytes the bytes of their bodies; 0 is no bound of bytes.
	MaxQueued, MaxBytes int64
}

// Appended is what became of an Entry.
type Appended struct {
	ID call.ID
	// Seen: an earlier call had the same DedupeKey, and ID is its.
	Seen bool
	// Ready: Heads returns the call, among those of Kind.
	Ready bool
	Kind  Kind
	// Result returns what Store.Result says of a new call, which it need not read for that. It is nil if Seen.
	Result func() call.Result
}

// Ready is a call that may be sent now.
type Ready struct {
	Integration string
	Head
}

// Progress is what earlier sendings of a call left behind.
type Progress struct {
	// Attempts counts sendings that were not refused.
	Attempts int `json:"attempts,omitempty"`
	// FirstSent is when the first of Attempts was sent.
	FirstSent time.Time `json:"firstSent,omitzero"`
	// NotBefore is when the next sending may take place.
	NotBefore time.Time `json:"notBefore,omitzero"`
	// Alone: it failed in a bulk call, or did not fit into one, and is sent by itself.
	Alone bool `json:"alone,omitempty"`
	// Ordered: somebody who could know whether it had been sent has ordered to send it.
	Ordered bool `json:"ordered,omitempty"`
}

// Head is what is needed to decide on a queued call. Its body stays in the store.
type Head struct {
	ID call.ID
	// Kind is the one under which Heads returns the call.
	Kind      Kind
	Operation string
	// Method, Target and Counts tell, with Operation, what it takes of the limits.
	Method     string
	Target     string
	Counts     map[string]int64
	Repeat     call.Repeat
	AcceptedAt time.Time
	Expires    time.Time
	// Size of the body in bytes.
	Size int64
	// Urgency is the call's.
	Urgency int8
	// Refers: the call holds references. Unfillable says why these can never be filled, as far as that can be known without its body.
	Refers     bool
	Unfillable string
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
	// Charges that are new or of which something became known; of several of one ID the last counts.
	Charges []Charge
	// Refunds are open charges for which nothing was sent.
	Refunds []uint64
	// Bulks that are new or of which something became known; of several of one ID the last counts. One without members is forgotten.
	Bulks []Bulk
	// ForgetCalls removes ended calls with their results and keys. One that is not due at the time of Clock any more stays: a call that refers to it was accepted.
	ForgetCalls []Ref
	// Tallies are added to the stored ones. The states in them, QueuedBytes and callbacks are ignored: transitions keep those.
	Tallies map[string]Tally
	// Volume, if set, is the store's identity from now on: what it holds is not what others know of the former one.
	Volume string
	// Plan, if set, is the plan in force.
	Plan []byte
	// Memory, if set, is what the scheduler wants to know again after a restart, in a form of its own: what it has learnt of demand.
	Memory []byte
	// Clock is how far time has come. It is required. Ended charges before its Horizon are forgotten.
	Clock Clock
}

// Empty reports whether nothing was decided.
func (b *Batch) Empty() bool {
	return !b.BeyondCharges() && len(b.Charges) == 0 && len(b.Refunds) == 0 && len(b.Tallies) == 0 && b.Memory == nil
}

// BeyondCharges reports whether something was decided on acknowledged calls, the plan or the volume.
func (b *Batch) BeyondCharges() bool {
	return len(b.Transitions) > 0 || len(b.ForgetCalls) > 0 || len(b.Bulks) > 0 || b.Volume != "" || b.Plan != nil
}

// Durable reports whether a commit of the batch has to survive a crash: losing it could charge too little, forget what was decided, or hold a job's slot for nobody to
// free.
func (b *Batch) Durable() bool {
	return b.BeyondCharges() || slices.ContainsFunc(b.Charges, func(c Charge) bool { return c.Open || c.Job != "" && !c.JobEnded })
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
	// Expires, if set with StateQueued, replaces the call's.
	Expires time.Time
}

// Answer is the CRM's answer to a queued call.
type Answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"-"`
	// Composed: the dispatcher made it of the answer to a bulk call.
	Composed bool `json:"composed,omitempty"`
}

// Charge is a charge of the ledger.
type Charge struct {
	ID          uint64 `json:"id"`
	Integration string `json:"integration"`
	// Calls is for how many calls it stands; 0 is one.
	Calls int64 `json:"calls,omitempty"`
	// Amounts are what it took of the meters in force that do not count every call as one; of a meter that is not named it is not known.
	Amounts []Amount `json:"amounts,omitempty"`
	// Record is the record it was about, 0 if there was none.
	Record uint64 `json:"record,omitempty"`
	// Open: the call may be on its way, no end is known.
	Open bool `json:"-"`
	// End is when the answer was read, or when listening ended plus the server's longest delay, on the clock of the store (see Clock).
	End time.Duration `json:"-"`
	// InDoubt: whether the call arrived at all is not known.
	InDoubt bool `json:"inDoubt,omitempty"`
	// Call is the acknowledged call that was charged; empty for one that somebody waited for.
	Call call.ID `json:"call,omitempty"`
	// Job is the CRM's name for the job that it started; empty if none is known.
	Job string `json:"job,omitempty"`
	// JobEnded: it holds no slot for a job any more.
	JobEnded bool `json:"jobEnded,omitempty"`
}

// Amount is what a call took of one meter; see limits.Meter for what identifies it.
type Amount struct {
	Subject    string `json:"subject,omitempty"`
	Credential string `json:"credential,omitempty"`
	PerRecord  bool   `json:"perRecord,omitempty"`
	Execution  bool   `json:"execution,omitempty"`
	N          int64  `json:"n"`
}

// Clock is a reading of all clocks at one moment. It tells a restarted dispatcher how old the charges are.
type Clock struct {
	// Store is the clock of the store: how long dispatchers have worked on it, and have been down as far as that can be proven. It never goes back.
	Store time.Duration `json:"store"`
	// Time is what the dispatcher's timeline showed; zero if an earlier version wrote this.
	Time time.Time `json:"time,omitzero"`
	// Unsure: from moments of the timeline before this one on, more time may have passed than the timeline shows; zero if there are none.
	Unsure time.Time `json:"unsure,omitzero"`
	// Machine that the store was on.
	Machine
	// Horizon: charges that ended before it, on the clock of the store, were forgotten. Zero if none was.
	Horizon time.Duration `json:"horizon,omitempty"`
	// Begun: it is known what had been used when the volume was new. Assumed is when a charge was taken for that, because another volume was lost; zero if never.
	Begun   bool      `json:"begun,omitempty"`
	Assumed time.Time `json:"assumed,omitzero"`
	// Position counts the commits that were durable. Who was told a higher one of this volume knows that the volume was put back to an earlier state.
	Position int64 `json:"position,omitempty"`
	// Doubted is when that was found out: calls that were accepted before may have been sent since. Zero if never.
	Doubted time.Time `json:"doubted,omitzero"`
}

// Machine is a reading of the clocks of a machine.
type Machine struct {
	// BootID identifies the machine's boot, and Boot is how long ago it was, sleep included. An empty ID is that of no boot.
	BootID string        `json:"bootID"`
	Boot   time.Duration `json:"boot"`
	// Wall is the time of day. WallError is by how much it can be wrong, as far as who keeps it right knows; zero if nobody does.
	Wall      time.Time     `json:"wall,omitzero"`
	WallError time.Duration `json:"wallError,omitempty"`
}

// Restored is what a scheduler starts from; nothing but Volume on a new one.
type Restored struct {
	// Volume is the store's identity: it was made with it, and goes where it goes.
	Volume string
	Plan   []byte
	Memory []byte
	Clock  Clock
	// Charges that have ended, in the order of their ends, then the open ones in the order of their IDs.
	Charges []Charge
	// Sent calls have an open charge: it is not known what became of them.
	Sent []SentCall
	// Bulks that have members, in the order of their IDs.
	Bulks []SentBulk
}

// SentCall is a call that was on its way when the store was left.
type SentCall struct {
	Ref
	Head Head
}
