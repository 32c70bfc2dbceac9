// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var noon = time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)

func newDesk() *Desk {
	return New(options(250, 1000))
}

// options are those of a desk whose jobs take 8 s, and whose index is a minute behind.
func options(users, tickets int) Options {
	return Options{
		JobDuration: func() time.Duration { return 8 * time.Second }, JobRetention: time.Hour,
		IndexDelay: func() time.Duration { return time.Minute }, ItemFails: func() bool { return false },
		Users: users, MaxTickets: tickets,
	}
}

func TestCreateAndUpdate(t *testing.T) {
	d := newDesk()
	created, err := d.Create(noon, Input{Subject: "broken", Comment: &Comment{"it is"}, ExternalID: new("x-1")})
	if err != nil {
		t.Fatal(err)
	}
	later := noon.Add(time.Hour)
	got, err := d.Update(later, created.ID, Input{Status: "solved", Comment: &Comment{"mended"}})
	if err != nil {
		t.Fatal(err)
	}
	want := Ticket{
		ID: 1, ExternalID: new("x-1"), Subject: "broken", Description: "it is", Status: "solved", Tags: []string{},
		CommentCount: 2, CreatedAt: noon, UpdatedAt: later,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Ticket{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if created, updates := d.Counts(later); created != 1 || updates != 1 {
		t.Errorf("counted %d tickets and %d updates", created, updates)
	}
}

func TestRefusals(t *testing.T) {
	d := New(options(0, 1))
	tests := []struct {
		name string
		do   func() error
		want error
	}{
		{"a ticket without text", func() error { _, err := d.Create(noon, Input{Subject: "x"}); return err }, ErrBlank},
		{"a ticket that is not there", func() error { _, err := d.Ticket(noon, 1); return err }, ErrNotFound},
		{"an update of none", func() error { _, err := d.Update(noon, 0, Input{}); return err }, ErrNotFound},
		{"the last one that is kept", func() error { _, err := d.Create(noon, Input{Description: "x"}); return err }, nil},
		{"one more", func() error { _, err := d.Create(noon, Input{Description: "x"}); return err }, ErrFull},
	}
	for _, test := range tests {
		if err := test.do(); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
}

func TestExternalIDsAreNotUnique(t *testing.T) {
	d := newDesk()
	for _, id := range []*string{new("a"), new("b"), new("a"), nil} {
		if _, err := d.Create(noon, Input{Description: "x", ExternalID: id}); err != nil {
			t.Fatal(err)
		}
	}
	ids, without := d.ByExternalID(noon)
	if diff := cmp.Diff(map[string][]int64{"a": {1, 3}, "b": {2}}, ids); diff != "" || without != 1 {
		t.Errorf("%d without; (-want +got):\n%s", without, diff)
	}
	if diff := cmp.Diff(map[string][]int64{"a": {1, 3}}, Duplicates(ids)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPages(t *testing.T) {
	d := newDesk()
	for range 5 {
		if _, err := d.Create(noon, Input{Description: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		page, size int
		want       []int64
	}{
		"the first":    {1, 2, []int64{1, 2}},
		"the last":     {3, 2, []int64{5}},
		"past the end": {4, 2, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tickets, count := d.Tickets(noon, test.page, test.size)
			var ids []int64
			for _, ticket := range tickets {
				ids = append(ids, ticket.ID)
			}
			if !slices.Equal(ids, test.want) || count != 5 {
				t.Errorf("got %v of %d", ids, count)
			}
		})
	}
}

func TestSearchUsers(t *testing.T) {
	d := newDesk()
	tests := map[string]int{
		"user17@example.test":            1,
		"email:user17@example.test":      1,
		"phone:+49301000017":             1,
		"USER 225":                       1,
		"example.test":                   250,
		"nobody":                         0,
		"type:user email:user@elsewhere": 0,
	}
	for query, want := range tests {
		t.Run(query, func(t *testing.T) {
			users, count := d.SearchUsers(query, 1, 100)
			if count != want || len(users) != min(want, 100) {
				t.Errorf("found %d (page of %d), want %d", count, len(users), want)
			}
		})
	}
}

func TestSearchTickets(t *testing.T) {
	d := newDesk()
	for i := range 3 {
		in := Input{Subject: fmt.Sprintf("call %d", i), Description: "from the contact centre", ExternalID: new(fmt.Sprintf("x-%d", i))}
		if _, err := d.Create(noon, in); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		query string
		after time.Duration
		want  int
	}{
		"words":                              {"contact centre", time.Hour, 3},
		"words that are not all there":       {"contact marketing", time.Hour, 0},
		"a field":                            {"type:ticket external_id:x-1", time.Hour, 1},
		"a field's beginning is not it":      {"external_id:x", time.Hour, 0},
		"before the index has heard of them": {"contact", time.Minute - 1, 0},
		"when it has":                        {"contact", time.Minute, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, count := d.SearchTickets(noon.Add(test.after), test.query, 1, 100); count != test.want {
				t.Errorf("found %d, want %d", count, test.want)
			}
		})
	}
}

func TestJobGoesThroughItsStatesAndThenHasItsEffects(t *testing.T) {
	d := newDesk()
	job, err := d.CreateMany(noon, []Input{{Description: "a"}, {}, {Description: "c"}})
	if err != nil {
		t.Fatal(err)
	}
	results := []JobResult{
		{Index: new(2), ID: 2},
		{Index: new(1), Error: "TicketCreateError", Details: ErrBlank.Error(), Status: "Failed"},
		{Index: new(0), ID: 1},
	}
	steps := []struct {
		after   time.Duration
		want    []JobStatus
		tickets int
	}{
		{0, []JobStatus{{ID: job.ID, Status: "queued", Total: 3}}, 0},
		{2 * time.Second, []JobStatus{{ID: job.ID, Status: "working", Total: 3}}, 0},
		{8*time.Second - 1, []JobStatus{{ID: job.ID, Status: "working", Total: 3, Progress: 2}}, 0},
		{8 * time.Second, []JobStatus{{ID: job.ID, Status: "completed", Total: 3, Progress: 3, Results: results}}, 2},
		{8*time.Second + time.Hour, []JobStatus{}, 2},
	}
	for _, step := range steps {
		now := noon.Add(step.after)
		if diff := cmp.Diff(step.want, d.Jobs(now, job.ID), cmpopts.IgnoreFields(JobStatus{}, "Ends")); diff != "" {
			t.Errorf("after %v (-want +got):\n%s", step.after, diff)
		}
		if created, _ := d.Counts(now); created != step.tickets {
			t.Errorf("after %v there are %d tickets, want %d", step.after, created, step.tickets)
		}
	}
}

func TestJobBounds(t *testing.T) {
	d := newDesk()
	items := slices.Repeat([]Input{{Description: "x"}}, MaxJobItems)
	if _, err := d.CreateMany(noon, append(items, items[0])); !errors.Is(err, ErrTooManyItems) {
		t.Errorf("got %v for an item too many", err)
	}
	for range MaxJobsInFlight {
		if _, err := d.CreateMany(noon, items[:1]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.CreateMany(noon, items); !errors.Is(err, ErrTooManyJobs) {
		t.Errorf("got %v for a job too many", err)
	}
	if _, err := d.CreateMany(noon.Add(8*time.Second), items); err != nil {
		t.Errorf("got %v when the jobs had ended", err)
	}
}
