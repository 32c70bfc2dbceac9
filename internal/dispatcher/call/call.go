// SPDX-License-Identifier: Apache-2.0

// Package call holds the words that intake, scheduler, backlog and upstream share: a call, its answer, its result.
package call

import (
	"io"
	"net/http"
	"time"
)

// ID identifies a call on its dispatcher: 26 characters, sortable by time of acceptance.
type ID string

// MaxOrderKey is the longest ordering key, in bytes.
const MaxOrderKey = 255

// MaxReferences is how many other calls a call can refer to.
const MaxReferences = 10

// Call is one request to the CRM, after intake: authenticated, confined to the CRM's endpoint, its body complete and the client's credentials removed.
type Call struct {
	ID ID
	// Integration is the key (namespace/name) of the integration that pays for it.
	Integration string
	// Client is the name of the integration's client that made it.
	Client string
	// Operation is the provider's name for it, for example CreateTicket; empty if it has none.
	Operation string

	Method string
	// Target is the path and query in origin form, as it is sent.
	Target string
	// Header holds end-to-end headers only. It never holds credentials: the upstream client adds the CRM's.
	Header http.Header
	// Credential, if set, is the client's own of the CRM, with which the call goes out. Such a call is never stored.
	Credential *Credential
	Body       []byte
	// Counts are how many things are in the body, see dialect.Counts: they tell what the call takes of the limits. Nil if that is not known.
	Counts map[string]int64
	// Stream, if set, is the body in place of Body: of a call that somebody waits for.
	Stream *Stream

	// Members, of a bulk call, are the headers of the calls that it is made of.
	Members []http.Header

	// OrderKey, if not empty, orders the queued calls of its integration that have the same: each is sent after the one before it has ended. At most MaxOrderKey bytes.
	OrderKey string
	// Urgency is by how many steps the call is less urgent (above 0) or more urgent (below 0) than others of its integration.
	Urgency int8
	// References are the queued calls, accepted before and of the same integration, of whose answers its target and body hold places (see package reference). It is
	// sent after they have succeeded. At most MaxReferences.
	References []ID
	// Callback, if not empty, is the name of the endpoint, of its integration's callbacks, that is told what became of the queued call.
	Callback string
	// Identity, of calls that only read, is the same for calls that get the same answer, which may be asked for once then. Zero: the call is like no other.
	Identity [32]byte

	// Repeat says whether the call may be sent again when its outcome is unknown.
	Repeat Repeat
	// AcceptedAt is when intake had read it completely.
	AcceptedAt time.Time
	// Expires is when a queued call ends as dead; zero for calls somebody waits for.
	Expires time.Time
}

// Repeat says whether a call may be sent again when its outcome is unknown.
type Repeat struct {
	Class RepeatClass
	// KeyValidFor is how long after the first sending the CRM still recognises the call's idempotency key; only with RepeatKeyed.
	KeyValidFor time.Duration
}

// Stream is a body that is read once, while the call is sent.
type Stream struct {
	Body io.Reader
	// Length in bytes.
	Length int64
}

// RepeatClass is a class of calls by the effect of sending them twice.
type RepeatClass uint8

const (
	// RepeatNever says that a second sending may have a second effect; an unknown outcome parks the call.
	RepeatNever RepeatClass = iota
	// RepeatIdempotent says that by its method, a second sending has no further effect.
	RepeatIdempotent
	// RepeatKeyed says that the CRM recognises the idempotency key in the header, for a while.
	RepeatKeyed
)

// Answer is the CRM's answer to a call.
type Answer struct {
	Status int
	// Header holds end-to-end headers.
	Header http.Header
	// Body is the whole body in memory when it is small, else it reads from the CRM. It must be closed.
	Body io.ReadCloser
	// Composed: the dispatcher made it of the CRM's answer to a bulk call.
	Composed bool
	// Rooms are what the limits that counted the call have left for its integration; nil if it is not held to any.
	Rooms []Room
}

// State of an acknowledged call. It is in exactly one at any time.
type State string

// States of a queued call.
const (
	StateQueued    State = "queued"
	StateSent      State = "sent"
	StateParked    State = "parked"
	StateSucceeded State = "succeeded"
	StateFailed    State = "failed"
	StateDead      State = "dead"
)

// Erasure counts the calls that an order to erase has ended.
type Erasure struct{ Queued, Parked int64 }

// UnknownTurns is not a number of turns.
const UnknownTurns = -1

// Result is what is known of an acknowledged call.
type Result struct {
	ID          ID
	Integration string
	Method      string
	Target      string
	State       State
	// Reason says in words why a call is parked or dead.
	Reason     string
	AcceptedAt time.Time
	// EndedAt is when the call succeeded, failed or died.
	EndedAt time.Time
	// Status, Header and Body are the CRM's answer for succeeded and failed calls.
	Status int
	Header http.Header
	Body   []byte
	// Composed: the dispatcher made them of the CRM's answer to a bulk call.
	Composed bool
	// Ahead is how many calls of the same integration are before it while queued.
	Ahead int64
	// Behind is set while a queued call has to wait for another one: one that it refers to, or the one of its ordering key whose turn it is.
	Behind ID
	// Turns is how many calls have to end, one after the other, before a queued one can be sent: Behind, and what stands between. UnknownTurns if that cannot be said,
	// because one of them is parked or they are very many.
	Turns int64
	// ETA is when it is expected to be sent; zero if it cannot be foreseen.
	ETA time.Time
}
