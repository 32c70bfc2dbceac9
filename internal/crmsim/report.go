// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
)

// maxDuplicates bounds the duplicates listed in a report.
const maxDuplicates = 100

// Report is what the judge found since the start or the last reset. Times are by the CRM's clock.
type Report struct {
	Since time.Time `json:"since"`
	Now   time.Time `json:"now"`
	Stamp Stamp     `json:"stamp"`

	// Arrivals counts the requests that reached the CRM; Unjudged those among them that were not kept, for want of memory.
	Arrivals int `json:"arrivals"`
	Unjudged int `json:"unjudged"`
	// InService counts the calls that are not finished yet; the judge takes them to last until now.
	InService int `json:"inService"`
	// Refusals counts the calls that a limit refused, and the answers 429, ClientGone the calls whose client did not wait for the answer.
	Refusals   int `json:"refusals"`
	ClientGone int `json:"clientGone"`

	ByOperation  map[string]int        `json:"byOperation"`
	ByCredential map[string]int        `json:"byCredential"`
	ByOutcome    map[judge.Outcome]int `json:"byOutcome"`

	// TokenRequests counts the requests for access tokens since the start: "issued", or the code of the error.
	TokenRequests map[string]int `json:"tokenRequests,omitempty"`

	// Background counts the calls of others.
	Background BackgroundCounts `json:"background,omitzero"`

	Tickets TicketCounts `json:"tickets"`
	// Limits are the verdicts on every limit, each over the calls received while it was in force; those replaced come first.
	Limits []judge.Verdict `json:"limits"`
}

// TicketCounts are the effects of the calls: tickets, or whatever records the CRM has.
type TicketCounts struct {
	Created int `json:"created"`
	Updates int `json:"updates"`
	// WithoutExternalID cannot be checked for duplicates.
	WithoutExternalID int `json:"withoutExternalID"`
	// DuplicateCount counts the external ids that more than one ticket has; Duplicates lists the first 100 with their tickets.
	DuplicateCount int                `json:"duplicateCount"`
	Duplicates     map[string][]int64 `json:"duplicates,omitempty"`
}

// Report judges all arrivals so far. It scans all of them for each limit.
func (s *Server) Report() Report {
	s.mu.Lock()
	now := s.now()
	s.catchUp(now)
	log, terms := s.log, slices.Clone(s.ended)
	for _, gate := range s.gates {
		terms = append(terms, term{limit: gate.limit, from: gate.since, until: log.Len()})
	}
	r := Report{
		Since: s.since.UTC(), Now: now.UTC(), Stamp: s.config.Stamp, Tickets: s.ticketCounts(now), Background: s.others, TokenRequests: maps.Clone(s.issuer.requests),
	}
	s.mu.Unlock()

	arrivals, dropped := log.Snapshot(now)
	r.count(arrivals, dropped)
	for _, term := range terms {
		r.Limits = append(r.Limits, judge.Judge(term.limit, arrivals[term.from:term.until]))
	}
	return r
}

func (s *Server) ticketCounts(now time.Time) TicketCounts {
	effects := s.crm.Effects(now)
	duplicates := maps.Clone(effects.ByExternalID)
	maps.DeleteFunc(duplicates, func(_ string, records []int64) bool { return len(records) < 2 })
	counts := TicketCounts{
		Created: effects.Created, Updates: effects.Updated, WithoutExternalID: effects.WithoutExternalID, DuplicateCount: len(duplicates),
	}
	listed := slices.Sorted(maps.Keys(duplicates))
	for _, id := range listed[min(len(listed), maxDuplicates):] {
		delete(duplicates, id)
	}
	counts.Duplicates = duplicates
	return counts
}

func (r *Report) count(arrivals []judge.Arrival, dropped int) {
	r.Arrivals, r.Unjudged = len(arrivals)+dropped, dropped
	r.ByOperation, r.ByCredential, r.ByOutcome = map[string]int{}, map[string]int{}, map[judge.Outcome]int{}
	for _, a := range arrivals {
		r.ByOperation[a.Operation]++
		r.ByCredential[a.Credential]++
		r.ByOutcome[a.Outcome]++
		if a.Outcome == judge.Refused || a.Status == http.StatusTooManyRequests {
			r.Refusals++
		}
		if a.ClientGone {
			r.ClientGone++
		}
	}
	r.InService = r.ByOutcome[judge.InService]
}

// Arrivals returns the record so far, in the order of receipt, at most Config.MaxRecords of them.
func (s *Server) Arrivals() []judge.Arrival {
	s.mu.Lock()
	log, now := s.log, s.now()
	s.mu.Unlock()
	arrivals, _ := log.Snapshot(now)
	return arrivals
}

// TicketsByExternalID returns the numbers of the tickets, or whatever records the CRM has, by external id; judge.CompareEffects compares it with what was wanted.
func (s *Server) TicketsByExternalID() map[string][]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crm.Effects(s.now()).ByExternalID
}

// Problems says in a sentence each what a faithful sender would not have let happen: overruns, duplicates, and calls that could not be
// judged. Refusals are not among them: others may have used the licence.
func (r Report) Problems() []string {
	var problems []string
	for _, v := range r.Limits {
		if v.OverrunCount > 0 {
			worst := slices.MaxFunc(v.Overruns, func(a, b judge.Window) int { return a.Calls - b.Calls })
			problem := fmt.Sprintf("limit %s was overrun %d times; the worst was %d of %d from %s",
				v.Limit.Name, v.OverrunCount, worst.Calls, v.Allowed, worst.Start.Format(time.RFC3339Nano))
			if worst.Of != "" {
				problem += fmt.Sprintf(" for %s %s", v.Limit.Per, worst.Of)
			}
			problems = append(problems, problem)
		}
	}
	if n := r.Tickets.DuplicateCount; n > 0 {
		problems = append(problems, fmt.Sprintf("%d external ids have more than one ticket", n))
	}
	if r.Unjudged > 0 {
		problems = append(problems, fmt.Sprintf("%d arrivals were not judged, for want of memory", r.Unjudged))
	}
	return problems
}
