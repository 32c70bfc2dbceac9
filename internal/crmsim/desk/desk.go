// SPDX-License-Identifier: Apache-2.0

// Package desk is the state of a simulated help desk: tickets, users and bulk jobs, in memory.
//
// It knows no HTTP and no clock: every method takes the present, which must never go back. It is not safe for concurrent use.
package desk

import (
	"errors"
	"maps"
	"time"
)

// What a call can be refused for.
var (
	// ErrBlank says that a new ticket has no text.
	ErrBlank = errors.New("a ticket needs a description or a comment")
	// ErrNotFound says that there is no such record.
	ErrNotFound = errors.New("no such record")
	// ErrFull says that the simulator keeps no more tickets; see Options.MaxTickets.
	ErrFull = errors.New("the simulated desk is full")
)

// Options are the desk's habits.
type Options struct {
	// JobDuration draws how long a bulk job takes; for its first quarter it is queued.
	JobDuration func() time.Duration
	// JobRetention is how long a job's record is kept after its end.
	JobRetention time.Duration
	// IndexDelay draws how long a new ticket cannot be found by searching.
	IndexDelay func() time.Duration
	// ItemFails draws whether an item of a bulk job fails.
	ItemFails func() bool
	// Users is how many users there are; they are made up, the same for each number.
	Users int
	// MaxTickets bounds the memory.
	MaxTickets int
}

// Comment is what an agent or a customer writes.
type Comment struct {
	Body string `json:"body"`
}

// Input is what a caller may set on a ticket. On an update absent fields stay as they are.
type Input struct {
	Subject     string   `json:"subject"`
	Description string   `json:"description"`
	Comment     *Comment `json:"comment"`
	ExternalID  *string  `json:"external_id"`
	Status      string   `json:"status"`
	Priority    string   `json:"priority"`
	RequesterID int64    `json:"requester_id"`
	Tags        []string `json:"tags"`
}

// Ticket is a record of the desk.
type Ticket struct {
	// URL is for the HTTP layer to fill in, which knows under what name it was called.
	URL          string    `json:"url"`
	ID           int64     `json:"id"`
	ExternalID   *string   `json:"external_id"`
	Subject      string    `json:"subject"`
	Description  string    `json:"description"`
	Status       string    `json:"status"`
	Priority     string    `json:"priority,omitempty"`
	RequesterID  int64     `json:"requester_id,omitempty"`
	Tags         []string  `json:"tags"`
	CommentCount int       `json:"comment_count"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`

	indexed time.Time // when it can be found
}

// Desk holds the state. Its ids start at 1 and have no gaps, jobs excepted.
type Desk struct {
	options Options
	tickets []*Ticket // the ticket with id n at n-1
	updates int
	users   []User
	// organizations are names by id.
	organizations   map[int64]string
	organizationSeq int

	jobs   []*job
	jobSeq uint64
}

// New returns an empty desk with its users.
func New(options Options) *Desk {
	return &Desk{options: options, users: makeUsers(options.Users), organizations: map[int64]string{}}
}

// Create makes a ticket. External ids are not unique: a second ticket with the same one is a second ticket.
func (d *Desk) Create(now time.Time, in Input) (Ticket, error) {
	d.settle(now)
	return d.create(now, in)
}

func (d *Desk) create(now time.Time, in Input) (Ticket, error) {
	text := in.Description
	if in.Comment != nil && in.Comment.Body != "" {
		text = in.Comment.Body
	}
	if text == "" {
		return Ticket{}, ErrBlank
	}
	if len(d.tickets) >= d.options.MaxTickets {
		return Ticket{}, ErrFull
	}
	t := &Ticket{
		ID: int64(len(d.tickets)) + 1, Subject: in.Subject, Description: text, Status: "new",
		Tags: []string{}, CommentCount: 1, CreatedAt: now.UTC(), indexed: now.Add(d.options.IndexDelay()),
	}
	t.apply(now, in)
	d.tickets = append(d.tickets, t)
	return *t, nil
}

// Update changes a ticket and adds the comment, if there is one.
func (d *Desk) Update(now time.Time, id int64, in Input) (Ticket, error) {
	d.settle(now)
	return d.update(now, id, in)
}

func (d *Desk) update(now time.Time, id int64, in Input) (Ticket, error) {
	t, err := d.find(id)
	if err != nil {
		return Ticket{}, err
	}
	t.apply(now, in)
	if in.Comment != nil {
		t.CommentCount++
	}
	d.updates++
	return *t, nil
}

func (t *Ticket) apply(now time.Time, in Input) {
	for _, field := range []struct {
		to   *string
		from string
	}{{&t.Subject, in.Subject}, {&t.Status, in.Status}, {&t.Priority, in.Priority}} {
		if field.from != "" {
			*field.to = field.from
		}
	}
	if in.ExternalID != nil {
		t.ExternalID = in.ExternalID
	}
	if in.RequesterID != 0 {
		t.RequesterID = in.RequesterID
	}
	if in.Tags != nil {
		t.Tags = in.Tags
	}
	t.UpdatedAt = now.UTC()
}

func (d *Desk) find(id int64) (*Ticket, error) {
	if id < 1 || id > int64(len(d.tickets)) || d.tickets[id-1].Status == deleted {
		return nil, ErrNotFound
	}
	return d.tickets[id-1], nil
}

// Ticket returns one ticket, or ErrNotFound.
func (d *Desk) Ticket(now time.Time, id int64) (Ticket, error) {
	d.settle(now)
	t, err := d.find(id)
	if err != nil {
		return Ticket{}, err
	}
	return *t, nil
}

// Many returns the tickets with these ids; unknown ids are left out.
func (d *Desk) Many(now time.Time, ids []int64) []Ticket {
	d.settle(now)
	out := []Ticket{}
	for _, id := range ids {
		if t, err := d.find(id); err == nil {
			out = append(out, *t)
		}
	}
	return out
}

// Tickets returns the tickets of one page, by id, and how many there are in all. Pages start at 1.
func (d *Desk) Tickets(now time.Time, page, perPage int) ([]Ticket, int) {
	d.settle(now)
	return values(cut(d.tickets, page, perPage)), len(d.tickets)
}

// Counts returns how many tickets have been created, and how many updates there were.
func (d *Desk) Counts(now time.Time) (created, updates int) {
	d.settle(now)
	return len(d.tickets), d.updates
}

// ByExternalID returns the ids of the tickets that have an external id, by it, and how many tickets have none.
func (d *Desk) ByExternalID(now time.Time) (ids map[string][]int64, without int) {
	d.settle(now)
	ids = make(map[string][]int64, len(d.tickets))
	for _, t := range d.tickets {
		if t.ExternalID == nil {
			without++
			continue
		}
		ids[*t.ExternalID] = append(ids[*t.ExternalID], t.ID)
	}
	return ids, without
}

// Duplicates keeps the entries of ByExternalID that have more than one ticket.
func Duplicates(ids map[string][]int64) map[string][]int64 {
	duplicates := maps.Clone(ids)
	maps.DeleteFunc(duplicates, func(_ string, ids []int64) bool { return len(ids) < 2 })
	return duplicates
}

// cut returns a page of all; one past the end is empty.
func cut[T any](all []T, page, perPage int) []T {
	start := min(len(all), (page-1)*perPage)
	return all[start:min(len(all), start+perPage)]
}

func values[T any](pointers []*T) []T {
	out := make([]T, 0, len(pointers))
	for _, p := range pointers {
		out = append(out, *p)
	}
	return out
}
