// SPDX-License-Identifier: Apache-2.0

// Package crm is what the simulated CRMs have in common: how a CRM is described to the server that plays it, what an endpoint sees of a call and how it answers.
//
// The server has the clock, the latency, the limits and the record of arrivals; a CRM has its endpoints, its records and its words. A CRM has no lock: the server
// calls it with its own.
package crm

import (
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// CRM is one product, with its records.
type CRM interface {
	// Endpoint names what a request is for. It never lacks Run.
	Endpoint(method, path string) Endpoint
	// Secret reads the credential of a request, where this CRM's callers put it. user may be empty.
	Secret(r *http.Request) (user, secret string, found bool)
	// Weight is how often a call counts; 0 means once.
	Weight(c *Call) int
	// Counted is told of each call that was counted, and when; also of those of others.
	Counted(at time.Time, c limit.Call)
	// Refuse answers a call that a limit has no room for.
	Refuse(c *Call, r Refusal) Reply
	// Fail answers with a status that no endpoint chose: 400, 401, 413, 500 or 503.
	Fail(status int, detail string) Reply
	// Show tells of the limits in the header of an answer.
	Show(c *Call, answer *Reply)
	// Session is what a cookie of the request names; empty for none.
	Session(r *http.Request) string
	// Token adds to a token endpoint's answer what is this CRM's own; base stands before absolute links.
	Token(base string, answer map[string]any)
	// Effects are what the calls have brought about until now.
	Effects(now time.Time) Effects
}

// Defaults are embedded by CRMs whose calls count once, that have no sessions and no log of calls, and whose token endpoint says what all say.
type Defaults struct{}

// Weight is once.
func (Defaults) Weight(*Call) int { return 0 }

// Counted is of no interest.
func (Defaults) Counted(time.Time, limit.Call) {}

// Session is none.
func (Defaults) Session(*http.Request) string { return "" }

// Token has nothing to add.
func (Defaults) Token(string, map[string]any) {}

// Options are a CRM's habits.
type Options struct {
	// IdempotencyValidity is how long an idempotency key is known, JobRetention how long the record of a job that has ended.
	IdempotencyValidity, JobRetention time.Duration
	// Users is the number of made-up contacts, MaxRecords bounds the records kept.
	Users, MaxRecords int
	// Zone is the account's time zone.
	Zone *time.Location
	// JobDuration draws how long a job takes, IndexDelay how long a new record is not found by a search, ItemFails whether an item of a bulk call fails.
	JobDuration, IndexDelay func() time.Duration
	ItemFails               func() bool
}

// Call is one request, as an endpoint sees it.
type Call struct {
	Request *http.Request
	Endpoint
	Body []byte
	// Now is when the call is executed.
	Now time.Time
	// Credential names the caller, Known says that the CRM takes it for one of its own.
	Credential string
	Known      bool
	// Base stands before absolute links, without a slash at its end.
	Base string
	// Standings are those of the limits that the call counts against, in the order of the configuration.
	Standings iter.Seq[Standing]
	// Jobs are the slots of the licence for background jobs.
	Jobs Slots
}

// Link makes a path absolute, with the name that the CRM believes to have.
func (c *Call) Link(path string) string { return c.Base + path }

// Main is the standing of the first limit that counts all calls together, of a kind: false if there is none. No kinds means any.
func (c *Call) Main(kinds ...limit.Kind) (Standing, bool) {
	for s := range c.Standings {
		if !s.Limit.Narrowed() && s.Limit.Per != limit.PerRecord && s.Limit.Per != limit.PerSession && (len(kinds) == 0 || slices.Contains(kinds, s.Limit.Kind)) {
			return s, true
		}
	}
	return Standing{}, false
}

// Slots are what limits on background jobs leave to a call.
type Slots interface {
	// Fit reports whether the call may start a job.
	Fit() bool
	// Start counts a job that the call has started, until it ends.
	Start(end time.Time)
}

// Endpoint is what a request is for.
type Endpoint struct {
	// Operation is its name in limits, outages and reports.
	Operation string
	// Record is what {id} stands for in the path, Vars the other parts of the path by their names.
	Record string
	Vars   map[string]string
	// Run executes the call.
	Run func(*Call) Reply
}

// Refusal is why a call is refused.
type Refusal struct {
	Limit limit.Limit
	// Retry is when the limit has room for more; 0 for a limit on calls in flight, which cannot say.
	Retry time.Duration
}

// Standing is how much of a limit is left.
type Standing struct {
	Limit limit.Limit
	// Remaining is in units; More is how long it takes until there are more.
	Remaining int
	More      time.Duration
}

// Effects are what the calls have brought about. Records are known by the caller's own id, the external one, and by a number that rises with each record made.
type Effects struct {
	Created, Updated int
	ByExternalID     map[string][]int64
	// WithoutExternalID counts the records that have none.
	WithoutExternalID int
}
