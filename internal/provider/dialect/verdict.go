// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"encoding/json"
	"net/http"
	"time"
)

// MaxAnswer is how many bytes of an answer's body an adapter is shown.
const MaxAnswer = 64 << 10

// Answer is what an adapter is shown of a CRM's answer.
type Answer struct {
	// Method and Path of the call; Path is decoded, in canonical form and has no query.
	Method, Path string
	Status       int
	Header       http.Header
	// Body is its start, at most MaxAnswer bytes. It is nil if the answer is not in memory.
	Body []byte
}

// JSON reads the body into v, which stays as it is where the body is something else, or is cut off.
func (a Answer) JSON(v any) { _ = json.Unmarshal(a.Body, v) }

// Scope is what a refusal is about, and so what has to wait.
type Scope uint8

const (
	// ScopeLicence is every call: a limit of the licence or of the credentials, or calls at a time.
	ScopeLicence Scope = iota
	// ScopeOperation is the calls of the same operation or endpoint.
	ScopeOperation
	// ScopeRecord is the calls to the same record.
	ScopeRecord
)

// Verdict is what an adapter says of an answer. Its zero value: the answer is no refusal for quota.
type Verdict struct {
	Refused bool
	// Scope says what has to wait.
	Scope Scope
	// Wait is for how long the CRM asked to be left alone, at most 24 hours; 0 if it did not say, and the dispatcher's own pause, which grows, will do.
	Wait time.Duration
}

// Refuse is the verdict on a refusal whose pause is in the headers: Retry-After, or else none.
func (a Answer) Refuse(scope Scope, now time.Time) Verdict {
	wait, _ := RetryAfter(a.Header, now)
	return Verdict{Refused: true, Scope: scope, Wait: wait}
}

// Pauses where a CRM names none. They are our choice, no vendor's.
const (
	// BusyPause is after too many calls at a time: some of them end soon.
	BusyPause = 2 * time.Second
	// ProbePause is after a limit of many hours, whose end is not told: how often one call tries whether there is more.
	ProbePause = time.Minute
)
