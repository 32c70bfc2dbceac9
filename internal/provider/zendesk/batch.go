// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// maxItems of create_many and of update_many (developer.zendesk.com/api-reference/ticketing/tickets/tickets).
	maxItems = 100
	// leastItems: a bulk call and the polls for a job of a minute are eight calls.
	leastItems = 9
)

// Batch merges creations of tickets into create_many, and updates into update_many.
func (Zendesk) Batch(operation string) (dialect.Batch, bool) {
	switch operation {
	case "CreateTicket":
		return createMany{}, true
	case "UpdateTicket":
		return updateMany{}, true
	}
	return nil, false
}

// jobs are read alike whatever they work off.
type jobs struct{}

// Separate: a job tells of each ticket by itself.
func (jobs) Separate() {}

// Size is what a job takes.
func (jobs) Size() (least, most int) { return leastItems, maxItems }

// Split reads the job's name.
func (jobs) Split(status int, body []byte, _ []dialect.Request) dialect.Split {
	started, _ := Zendesk{}.Jobs(http.MethodPost, status, body)
	if len(started) == 0 {
		return dialect.Split{}
	}
	return dialect.Split{Job: started[0]}
}

// Polled is as many as show_many takes.
func (jobs) Polled() int { return maxItems }

// Poll asks for the state of many jobs.
func (jobs) Poll(names []string) dialect.Request {
	poll, _ := Zendesk{}.PollJobs(names)
	return poll
}

// jobResult is what became of one item. The order of results is not documented: for creations the index says which one it is about, for updates the ticket's id.
type jobResult struct {
	Index   *int   `json:"index"`
	ID      int64  `json:"id"`
	Error   string `json:"error"`
	Status  string `json:"status"`
	Success bool   `json:"success"`
}

func (r jobResult) failed() bool { return r.Error != "" || r.Status == "Failed" }

// results are those of a job that has ended, nil if the answer does not know it.
func results(name string, body []byte) (all []jobResult, pending bool) {
	var answer struct {
		Jobs []struct {
			jobStatus
			Results []jobResult `json:"results"`
		} `json:"job_statuses"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil, true
	}
	for _, j := range answer.Jobs {
		if j.ID == name {
			return j.Results, j.Status == "queued" || j.Status == "working"
		}
	}
	return nil, false
}

// createMany makes tickets. Each carries two tags of ours: that of the bulk call, and that with its call's place among the members.
type createMany struct{ jobs }

// Bulk is create_many.
func (createMany) Bulk() dialect.Request {
	return dialect.Request{Operation: "CreateTickets", Method: http.MethodPost, Target: "/api/v2/tickets/create_many.json"}
}

// List is where the items are.
func (jobs) List() string { return "tickets" }

// Merge takes the calls whose body is a ticket and nothing else.
func (c createMany) Merge(mark string, members []dialect.Request) (dialect.Request, []int) {
	var tickets []map[string]json.RawMessage
	var in []int
	for i, m := range members {
		if ticket, ok := ticketOf(m); ok && tag(ticket, mark, itemTag(mark, i)) {
			tickets, in = append(tickets, ticket), append(in, i)
		}
	}
	return many(c.Bulk(), tickets), in
}

// many completes a bulk call about tickets.
func many(bulk dialect.Request, tickets []map[string]json.RawMessage) dialect.Request {
	return bulk.WithJSON(map[string]any{"tickets": tickets})
}

func itemTag(mark string, place int) string { return mark + "-" + strconv.Itoa(place) }

// ticketOf is the ticket that a call makes; ok is false if it asks for more than that.
func ticketOf(m dialect.Request) (ticket map[string]json.RawMessage, ok bool) {
	path, query, _ := strings.Cut(m.Target, "?")
	if query != "" || (Zendesk{}).Canonical(path) != "/api/v2/tickets" {
		return nil, false
	}
	return ticketIn(m.Body)
}

// ticketIn reads a body that is a ticket and nothing else.
func ticketIn(text []byte) (ticket map[string]json.RawMessage, ok bool) {
	var body map[string]json.RawMessage
	if json.Unmarshal(text, &body) != nil || len(body) != 1 || json.Unmarshal(body["ticket"], &ticket) != nil {
		return nil, false
	}
	return ticket, ticket != nil
}

// tag adds tags to a ticket, and reports whether its own are of the documented form.
func tag(ticket map[string]json.RawMessage, names ...string) bool {
	var tags []string
	if own, there := ticket["tags"]; there && json.Unmarshal(own, &tags) != nil {
		return false
	}
	ticket["tags"] = dialect.JSON(append(tags, names...))
	return true
}

// ReadJob answers as the creation of a ticket does, as far as the job tells: with its id.
func (createMany) ReadJob(name string, body []byte, of []dialect.Request) ([]dialect.Item, bool) {
	all, pending := results(name, body)
	items := make([]dialect.Item, len(of))
	if pending {
		return items, true
	}
	for _, r := range all {
		switch {
		case r.Index == nil || *r.Index < 0 || *r.Index >= len(of):
		case r.failed():
			items[*r.Index].Failed = true
		case r.ID != 0:
			items[*r.Index].Answer = created(r.ID)
		}
	}
	return items, false
}

func created(id int64) *dialect.Response { return ticketAnswer(http.StatusCreated, id) }

// ticketAnswer is what a job tells of a ticket.
func ticketAnswer(status int, id int64) *dialect.Response {
	return &dialect.Response{
		Status: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: fmt.Appendf(nil, `{"ticket":{"id":%d}}`, id),
	}
}

// Find searches for the bulk call's tag.
func (createMany) Find(mark string) dialect.Request {
	query := url.Values{"query": {"type:ticket tags:" + mark}, "per_page": {strconv.Itoa(maxItems)}}
	return dialect.Request{Operation: "Search", Method: http.MethodGet, Target: "/api/v2/search.json?" + query.Encode()}
}

// ReadFound goes by the tags that tell the places.
func (createMany) ReadFound(mark string, body []byte, n int) ([]dialect.Item, bool) {
	var answer struct {
		Results []struct {
			ID   int64    `json:"id"`
			Tags []string `json:"tags"`
		} `json:"results"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Results == nil {
		return nil, false
	}
	items := make([]dialect.Item, n)
	for _, r := range answer.Results {
		for _, t := range r.Tags {
			place, is := strings.CutPrefix(t, mark+"-")
			if i, err := strconv.Atoi(place); is && err == nil && i >= 0 && i < n && r.ID != 0 {
				items[i].Answer = created(r.ID)
			}
		}
	}
	return items, true
}
