// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// updateMany changes tickets, each in a way of its own (developer.zendesk.com/api-reference/ticketing/tickets/tickets, "Update Many Tickets").
type updateMany struct{ jobs }

// Bulk is update_many.
func (updateMany) Bulk() dialect.Request {
	return dialect.Request{Operation: "UpdateTickets", Method: http.MethodPut, Target: "/api/v2/tickets/update_many.json"}
}

// Record is the ticket's id.
func (updateMany) Record(target string) string {
	if strings.Contains(target, "?") {
		return ""
	}
	id, is := strings.CutPrefix(Zendesk{}.Canonical(target), "/api/v2/tickets/")
	if _, err := strconv.ParseInt(id, 10, 64); !is || err != nil {
		return ""
	}
	return id
}

// alone are members of an update that are not known to work in a bulk call: an update on condition that nothing has changed, and one that names its ticket again.
var alone = []string{"id", "safe_update", "updated_stamp"}

// Merge takes the calls whose body is a ticket's changes and nothing else.
func (u updateMany) Merge(_ string, members []dialect.Request) (dialect.Request, []int) {
	var tickets []map[string]json.RawMessage
	var in []int
	for i, m := range members {
		id := u.Record(m.Target)
		ticket, ok := ticketIn(m.Body)
		for _, name := range alone {
			ok = ok && ticket[name] == nil
		}
		if id == "" || !ok {
			continue
		}
		ticket["id"] = json.RawMessage(id)
		tickets, in = append(tickets, ticket), append(in, i)
	}
	return many(u.Bulk(), tickets), in
}

// plain are members of a ticket of which the last one set is what holds, whatever was set before. Others add to what is there (comments, custom fields, followers), act
// (macros), or speak of the same thing under two names (a status and a custom one, an agent's id and address).
var plain = []string{
	"assignee_id", "brand_id", "due_at", "external_id", "group_id", "organization_id", "priority", "problem_id", "requester_id", "status", "subject", "ticket_form_id", "type",
}

// Fold puts the later fields over the earlier ones, if all are plain.
func (u updateMany) Fold(first, second dialect.Request) (dialect.Request, bool) {
	earlier, ok := ticketIn(first.Body)
	later, also := ticketIn(second.Body)
	if !ok || !also || u.Record(first.Target) == "" || u.Record(first.Target) != u.Record(second.Target) {
		return first, false
	}
	fields, ok := dialect.FoldFields(earlier, later)
	ok = ok && string(earlier["status"]) != `"closed"` // after which nothing can be changed
	for name := range fields {
		ok = ok && slices.Contains(plain, name)
	}
	if !ok {
		return first, false
	}
	first.Body = dialect.JSON(map[string]any{"ticket": fields})
	return first, true
}

// ReadJob goes by the ticket's id. In the field, failures were seen to have the item's place as their id instead: where a number can be both, nothing is known.
func (u updateMany) ReadJob(name string, body []byte, of []dialect.Request) ([]dialect.Item, bool) {
	all, pending := results(name, body)
	items := make([]dialect.Item, len(of))
	if pending {
		return items, true
	}
	places := make(map[int64]int, len(of))
	for i, r := range of {
		if id, err := strconv.ParseInt(u.Record(r.Target), 10, 64); err == nil {
			places[id] = i
		}
	}
	for _, r := range all {
		if i, isTicket := places[r.ID]; isTicket && r.Success && !r.failed() {
			items[i].Answer = ticketAnswer(http.StatusOK, r.ID)
		}
		if i, known := r.failedItem(places, len(of)); known {
			items[i].Failed = true
		}
	}
	for i := range items {
		items[i].Failed = items[i].Failed && items[i].Answer == nil
	}
	return items, false
}

// failedItem is the item, of n with these places by ticket, that a result says has failed.
func (r jobResult) failedItem(places map[int64]int, n int) (item int, known bool) {
	if !r.failed() {
		return 0, false
	}
	if r.Index != nil {
		return *r.Index, *r.Index >= 0 && *r.Index < n
	}
	i, isTicket := places[r.ID]
	isPlace := r.ID >= 0 && r.ID < int64(n)
	if isTicket {
		return i, !isPlace || int64(i) == r.ID
	}
	return int(r.ID), isPlace
}
