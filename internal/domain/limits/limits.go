// SPDX-License-Identifier: Apache-2.0

// Package limits says what a licence limits, and how carefully that has to be kept.
//
// Every instant in the packages of this domain is on ONE timeline of the caller's that is never stepped: the wall clock as it was when the process started plus
// the time that passed since by the monotonic clock. A caller that hands in time.Now() would let a step of the wall clock release charges early.
package limits

import (
	"errors"
	"fmt"
	"time"
)

// Kind is how a limit counts.
type Kind uint8

const (
	// Rolling allows Max units in every interval of length Window, wherever it begins.
	Rolling Kind = iota + 1
	// Calendar allows Max units from the begin of one Period in Location to the next.
	Calendar
	// Concurrent allows Max units at a time.
	Concurrent
)

// String returns the kind's name in words.
func (k Kind) String() string {
	switch k {
	case Rolling:
		return "rolling"
	case Calendar:
		return "calendar"
	case Concurrent:
		return "concurrent"
	default:
		return fmt.Sprintf("kind %d", uint8(k))
	}
}

// Counting is how the CRM itself keeps a rolling limit. Whatever it is, no interval of the window's length holds more than Max; that alone is not enough for
// CRMs that refuse before.
type Counting uint8

const (
	// Exact says that the CRM counts the calls of the last Window, or more generously.
	Exact Counting = iota
	// Fixed says that the CRM counts in windows that follow one another, at an offset that need not be known. The rule for Exact keeps it at every offset.
	Fixed
	// TokenBucket says that the CRM refills Max per Window into a bucket of size Burst. Calls are paced so that it is never empty when one arrives.
	TokenBucket
	// Approximate says that the CRM estimates the last Window from the counts of two fixed windows, as weighted sliding counters do. Calls are paced somewhat below Max.
	Approximate
)

// String returns the name that manifests use.
func (c Counting) String() string {
	if int(c) < len(countings) {
		return countings[c]
	}
	return fmt.Sprintf("counting %d", uint8(c))
}

var countings = [...]string{Exact: "Exact", Fixed: "Fixed", TokenBucket: "TokenBucket", Approximate: "Approximate"}

// Unit is what a limit's Max is a number of.
type Unit uint8

const (
	// Calls are calls, or whatever else the CRM prices a call in before it runs: tokens, credits, slots.
	Calls Unit = iota
	// Milliseconds of execution. What a call takes is only known when it has ended, so it is estimated first and corrected then.
	Milliseconds
)

// Meter identifies what a limit counts. Limits with the same meter share its history: one that is renamed, or gets another window, keeps what was charged.
type Meter struct {
	// Subject says in some canonical form which calls count, and how much each; empty for a meter on which every call counts 1.
	Subject string
	// Credential whose calls count; empty if all calls of the account do.
	Credential string
	// PerRecord: each record (ticket, contact) has a count of its own. Such limits are not shared out: there is nothing to guarantee.
	PerRecord bool
}

// EveryCall is the meter on which every call of the account counts 1.
var EveryCall Meter

// Limit is one limit of a licence.
type Limit struct {
	// Name as its users know it. It identifies nothing: a renamed limit keeps its charges.
	Name string
	Kind Kind
	// Max is how many units are allowed, at least 1.
	Max  int64
	Unit Unit
	// Meter is what the limit counts.
	Meter Meter
	// Most is the largest amount that one call can take, at least 1 (0 is taken as 1): a call of which nothing else is known counts so much.
	Most int64

	// Window of a Rolling limit.
	Window time.Duration
	// Counting of a Rolling limit, and the Burst of a TokenBucket, at least 1.
	Counting Counting
	Burst    int64

	// Period and Location of a Calendar limit. (For a zone that is not known, see UnknownZone.)
	Period   Period
	Location *time.Location

	// CountingDelay, if not 0, replaces that of the guards: by how much the CRM counts late, with the skew of its nodes and the granularity of its counters.
	CountingDelay time.Duration
	// UntilJobEnds, for a Concurrent limit: a call holds its slot until the job that it started has ended.
	UntilJobEnds bool
	// AlertOnly counts and holds nothing back: for caps that the CRM does not enforce.
	AlertOnly bool
}

// Length is how long the window is, or the longest that the period can be; 0 of a Concurrent limit.
func (l Limit) Length() time.Duration {
	if l.Kind == Calendar {
		return l.Period.Longest()
	}
	return l.Window
}

// LargestAmount is Most, at least 1.
func (l Limit) LargestAmount() int64 { return max(1, l.Most) }

// UnknownZone is the limit by which a Calendar limit is kept while the CRM's time zone is not known: no interval as long as the longest period holds more.
func (l Limit) UnknownZone() Limit {
	l.Kind, l.Window, l.Period, l.Location = Rolling, l.Period.Longest(), 0, nil
	return l
}

// Validate returns an error that names the limit and the field that is wrong.
func (l Limit) Validate() error {
	var errs []error
	require := func(holds bool, format string, args ...any) {
		if !holds {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	require(l.Max >= 1, "max is %d, must be at least 1", l.Max)
	switch l.Kind {
	case Rolling:
		require(l.Window > 0, "window is %s, must be positive", l.Window)
		require(l.Counting <= Approximate, "%s is unknown", l.Counting)
		require(l.Counting != TokenBucket || l.Burst >= 1, "burst is %d, must be at least 1", l.Burst)
	case Calendar:
		require(l.Location != nil, "location is missing")
		require(l.Period >= Hour && l.Period <= Month, "%s is unknown", l.Period)
	case Concurrent:
		require(l.Unit == Calls, "concurrent calls are not measured in milliseconds")
	default:
		require(false, "%s is unknown", l.Kind)
	}
	require(l.CountingDelay >= 0, "counting delay is %s, must not be negative", l.CountingDelay)
	require(!l.UntilJobEnds || l.Kind == Concurrent, "only slots can be held until a job ends")
	if len(errs) > 0 {
		return fmt.Errorf("limit %q: %w", l.Name, errors.Join(errs...))
	}
	return nil
}
