// SPDX-License-Identifier: Apache-2.0

// Package judge records what reached a simulated CRM and decides afterwards whether the limits were kept.
//
// It counts by scanning the record over every position of a window, never by the running counters that refuse calls, so the
// two cannot share a mistake.
package judge

import (
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// Outcome is what became of a call.
type Outcome string

// The outcomes of a call.
const (
	InService    Outcome = "InService"    // not finished yet
	Answered     Outcome = "Answered"     // by the endpoint, whatever the status
	Refused      Outcome = "Refused"      // 429, a limit was reached
	Unauthorized Outcome = "Unauthorized" // 401
	Failed       Outcome = "Failed"       // answered by an outage, or dropped without an answer
	Closed       Outcome = "Closed"       // the simulator was closed meanwhile
)

// Arrival is one request that reached the CRM, by the CRM's clock.
type Arrival struct {
	Method         string
	Path           string
	Operation      string
	Record         string // that the path names
	Credential     string
	IdempotencyKey string
	// Weight is how often the call counts; 0 means once.
	Weight int

	// Received is when the request's headers were read.
	Received time.Time
	// Earliest and Latest bound the moment at which the CRM counted the call; how far they lie apart is the CRM's freedom,
	// and all of it is held against the sender.
	Earliest, Latest time.Time
	// Released is when the call ended its use of a concurrency slot.
	Released time.Time
	// JobEnd is when the job that the call started ended; zero for a call that started none.
	JobEnd time.Time

	Outcome Outcome
	// Status is the HTTP status of the answer; 0 when there was none.
	Status int
	// ClientGone says that the client had gone before the answer was ready.
	ClientGone bool
}

// Call is what limits look at.
func (a Arrival) Call() limit.Call {
	return limit.Call{Method: a.Method, Path: a.Path, Operation: a.Operation, Record: a.Record, Credential: a.Credential, Weight: a.Weight}
}

// Log keeps the arrivals in memory, up to a number of them. It is safe for concurrent use.
type Log struct {
	capacity int

	mu       sync.Mutex
	arrivals []Arrival
	total    int
}

// NewLog returns a log that keeps at most capacity arrivals (about 250 bytes each) and only counts the others.
func NewLog(capacity int) *Log { return &Log{capacity: capacity} }

// Begin records a call that has just been received. The id is for End.
func (l *Log) Begin(a Arrival) (id int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if len(l.arrivals) == l.capacity {
		return -1
	}
	a.Outcome = InService
	l.arrivals = append(l.arrivals, a)
	return len(l.arrivals) - 1
}

// End completes the record that Begin returned id for.
func (l *Log) End(id int, a Arrival) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id >= 0 {
		l.arrivals[id] = a
	}
}

// Len is how many arrivals have been kept.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.arrivals)
}

// Snapshot returns the arrivals kept until now, in the order of their receipt, and how many were not kept.
// Calls in service may be counted anywhere between their receipt and now.
func (l *Log) Snapshot(now time.Time) (arrivals []Arrival, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	arrivals = append(arrivals, l.arrivals...)
	for i := range arrivals {
		if a := &arrivals[i]; a.Outcome == InService {
			a.Earliest, a.Latest, a.Released = a.Received, now, now
		}
	}
	return arrivals, l.total - len(l.arrivals)
}
