// SPDX-License-Identifier: Apache-2.0

// Package records keeps the records of a simulated CRM in memory: things of several kinds with named fields, an index for searches that may lag behind, and bulk jobs.
//
// It knows no HTTP and no clock: methods take the present, which must never go back. It is not safe for concurrent use.
package records

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
)

// What a call can be refused for.
var (
	// ErrFull says that the simulator keeps no more records; see crm.Options.MaxRecords.
	ErrFull = errors.New("the simulated CRM is full")
	// ErrItem is why an item fails that the CRM was told to let fail.
	ErrItem = errors.New("the simulated CRM lets this item fail")
)

// Fields are those of a record, as JSON has them.
type Fields = map[string]any

// Record is one thing of a kind.
type Record struct {
	Kind   string
	Number int64 // rises with each record made, whatever its kind
	ID     string
	Fields Fields
	// Created and Updated are when it was made and changed.
	Created, Updated time.Time

	indexed time.Time // when searches find it
}

// Text is a field as text; empty if it is absent. Dots lead into fields of fields.
func (r *Record) Text(path string) string { return Text(r.Fields, path) }

// Contains reports whether one of the fields contains a text, whatever its case.
func (r *Record) Contains(text string) bool {
	text = strings.ToLower(text)
	for name := range r.Fields {
		if strings.Contains(strings.ToLower(r.Text(name)), text) {
			return true
		}
	}
	return false
}

// Text is a field as text; empty if it is absent. Dots lead into fields of fields, unless there is a field of the whole name.
func Text(fields Fields, path string) string {
	value, found := fields[path]
	if !found {
		value = any(fields)
		for name := range strings.SplitSeq(path, ".") {
			inner, _ := value.(Fields)
			value = inner[name]
		}
	}
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case float64:
		return fmt.Sprintf("%.15g", value)
	default:
		return fmt.Sprint(value)
	}
}

// Store holds the records of an account.
type Store struct {
	options crm.Options
	idOf    func(kind string, number int64) string
	// external are the fields in which callers put ids of their own.
	external []string

	all     []*Record // by number; made-up ones first, nil for one that was deleted
	madeUp  int
	byID    map[string]*Record
	updates int
	jobs    []*Job
	jobSeq  int64
}

// New returns an empty store. idOf makes the id of a record; external are the fields in which callers put ids of their own, the first that is set counts.
func New(o crm.Options, idOf func(kind string, number int64) string, external ...string) *Store {
	return &Store{options: o, idOf: idOf, external: external, byID: map[string]*Record{}}
}

// MakeUp makes as many records of a kind as there are made-up contacts. They are no effects of calls.
func (s *Store) MakeUp(kind string, fields func(i int) Fields) {
	for i := range s.options.Users {
		s.add(time.Time{}, kind, fields(i+1))
	}
	s.madeUp = len(s.all)
}

// Create makes a record. Nothing is unique here; a CRM that wants it looks first.
func (s *Store) Create(now time.Time, kind string, fields Fields) (*Record, error) {
	s.settle(now)
	if len(s.all)-s.madeUp >= s.options.MaxRecords {
		return nil, ErrFull
	}
	r := s.add(now, kind, fields)
	r.indexed = now.Add(s.options.IndexDelay())
	return r, nil
}

// CreateAs makes a record with an id that the caller chose. There must be none with it.
func (s *Store) CreateAs(now time.Time, kind, id string, fields Fields) (*Record, error) {
	r, err := s.Create(now, kind, fields)
	if err != nil {
		return nil, err
	}
	delete(s.byID, kind+"/"+r.ID)
	r.ID = id
	s.byID[kind+"/"+id] = r
	return r, nil
}

func (s *Store) add(now time.Time, kind string, fields Fields) *Record {
	number := int64(len(s.all)) + 1
	r := &Record{Kind: kind, Number: number, ID: s.idOf(kind, number), Fields: Fields{}, Created: now.UTC(), Updated: now.UTC()}
	maps.Copy(r.Fields, fields)
	s.all = append(s.all, r)
	s.byID[kind+"/"+r.ID] = r
	return r
}

// Update changes the fields that are given.
func (s *Store) Update(now time.Time, r *Record, fields Fields) {
	s.settle(now)
	maps.Copy(r.Fields, fields)
	r.Updated = now.UTC()
	s.updates++
}

// Attempt runs what reports whether it went well, undoes its changes of records if not, and reports that, too. It must start no jobs.
func (s *Store) Attempt(change func() bool) bool {
	all, fields, updated := slices.Clone(s.all), make([]Fields, len(s.all)), make([]time.Time, len(s.all))
	for i, r := range all {
		if r != nil {
			fields[i], updated[i] = maps.Clone(r.Fields), r.Updated
		}
	}
	byID, updates := maps.Clone(s.byID), s.updates
	if change() {
		return true
	}
	s.all, s.byID, s.updates = all, byID, updates
	for i, r := range all {
		if r != nil {
			r.Fields, r.Updated = fields[i], updated[i]
		}
	}
	return false
}

// Delete removes a record. It was created all the same, but counts no more among the caller's.
func (s *Store) Delete(now time.Time, r *Record) {
	s.settle(now)
	s.all[r.Number-1] = nil
	delete(s.byID, r.Kind+"/"+r.ID)
}

// Get returns a record, nil if there is none.
func (s *Store) Get(now time.Time, kind, id string) *Record {
	s.settle(now)
	return s.byID[kind+"/"+id]
}

// Find returns the records of a kind, in the order of their making, that a condition holds for. It reads the records themselves.
func (s *Store) Find(now time.Time, kind string, holds func(*Record) bool) []*Record {
	s.settle(now)
	found := []*Record{}
	for _, r := range s.all {
		if r != nil && r.Kind == kind && holds(r) {
			found = append(found, r)
		}
	}
	return found
}

// By returns the records of a kind with a field of that text.
func (s *Store) By(now time.Time, kind, field, text string) []*Record {
	return s.Find(now, kind, func(r *Record) bool { return text != "" && strings.EqualFold(r.Text(field), text) })
}

// Search is Find by the index: it does not know the youngest records.
func (s *Store) Search(now time.Time, kind string, holds func(*Record) bool) []*Record {
	return s.Find(now, kind, func(r *Record) bool { return !now.Before(r.indexed) && holds(r) })
}

// All holds for every record.
func All(*Record) bool { return true }

// Effects are the records that calls have made.
func (s *Store) Effects(now time.Time) crm.Effects {
	s.settle(now)
	e := crm.Effects{Created: len(s.all) - s.madeUp, Updated: s.updates, ByExternalID: map[string][]int64{}}
	for _, r := range s.all[s.madeUp:] {
		switch {
		case r == nil:
		case s.externalID(r) == "":
			e.WithoutExternalID++
		default:
			e.ByExternalID[s.externalID(r)] = append(e.ByExternalID[s.externalID(r)], r.Number)
		}
	}
	return e
}

func (s *Store) externalID(r *Record) string {
	for _, field := range s.external {
		if id := r.Text(field); id != "" {
			return id
		}
	}
	return ""
}

// ItemFails reports whether an item of a bulk call is to fail.
func (s *Store) ItemFails() bool { return s.options.ItemFails() }

// Cut returns size of all from a place on; fewer at the end.
func Cut[T any](all []T, from, size int) []T {
	from = min(max(from, 0), len(all))
	return all[from:min(len(all), from+size)]
}
