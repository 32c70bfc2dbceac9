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
	// Rolling allows Max calls in every interval of length Window, wherever it begins.
	Rolling Kind = iota + 1
	// CalendarDay allows Max calls from one midnight in Location to the next.
	CalendarDay
	// Concurrent allows Max calls at a time. Every call takes one slot, whatever it costs.
	Concurrent
)

// String returns the kind's name in words.
func (k Kind) String() string {
	switch k {
	case Rolling:
		return "rolling"
	case CalendarDay:
		return "calendar day"
	case Concurrent:
		return "concurrent"
	default:
		return fmt.Sprintf("kind %d", uint8(k))
	}
}

// Limit is one limit of a licence. Each limit counts every call of the licence.
type Limit struct {
	// Name as its users know it. It identifies nothing: a renamed limit keeps its charges.
	Name string
	Kind Kind
	// Max is how many calls are allowed, at least 1. The unit is a call of cost 1.
	Max int64
	// Window of a Rolling limit.
	Window time.Duration
	// Location of a CalendarDay limit.
	Location *time.Location
	// AlertOnly counts and holds nothing back: for caps that the CRM does not enforce.
	AlertOnly bool
}

// Validate returns an error that names the limit and the field that is wrong.
func (l Limit) Validate() error {
	var errs []error
	if l.Max < 1 {
		errs = append(errs, fmt.Errorf("max is %d, must be at least 1", l.Max))
	}
	switch l.Kind {
	case Rolling:
		if l.Window <= 0 {
			errs = append(errs, fmt.Errorf("window is %s, must be positive", l.Window))
		}
	case CalendarDay:
		if l.Location == nil {
			errs = append(errs, errors.New("location is missing"))
		}
	case Concurrent:
	default:
		errs = append(errs, fmt.Errorf("%s is unknown", l.Kind))
	}
	if len(errs) > 0 {
		return fmt.Errorf("limit %q: %w", l.Name, errors.Join(errs...))
	}
	return nil
}
