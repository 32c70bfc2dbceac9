// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

type ticketBody struct {
	Ticket *desk.Input `json:"ticket"`
}

func (z *Zendesk) createTicket(c *crm.Call) crm.Reply {
	key := c.Request.Header.Get("Idempotency-Key")
	if key == "" {
		return z.createOnce(c)
	}
	return z.replays.run(c.Now, key, c.Body, func() crm.Reply { return z.createOnce(c) })
}

func (z *Zendesk) createOnce(c *crm.Call) crm.Reply {
	var body ticketBody
	if err := json.Unmarshal(c.Body, &body); err != nil || body.Ticket == nil {
		return malformed(`{"ticket": {...}}`)
	}
	ticket, err := z.desk.Create(c.Now, *body.Ticket)
	if err != nil {
		return deskFailure(err)
	}
	ticket = z.linked(c, ticket)[0]
	answer := crm.JSON(http.StatusCreated, map[string]any{"ticket": ticket})
	answer.Header.Set("Location", ticket.URL)
	return answer
}

func (z *Zendesk) updateTicket(c *crm.Call) crm.Reply {
	var body ticketBody
	if err := json.Unmarshal(c.Body, &body); err != nil || body.Ticket == nil {
		return malformed(`{"ticket": {...}}`)
	}
	return z.oneTicket(c, func(id int64) (desk.Ticket, error) { return z.desk.Update(c.Now, id, *body.Ticket) })
}

func (z *Zendesk) getTicket(c *crm.Call) crm.Reply {
	return z.oneTicket(c, func(id int64) (desk.Ticket, error) { return z.desk.Ticket(c.Now, id) })
}

func (z *Zendesk) showMany(c *crm.Call) crm.Reply {
	tickets := z.desk.Many(c.Now, idsOf(c))
	return crm.JSON(http.StatusOK, map[string]any{"tickets": z.linked(c, tickets...), "count": len(tickets), "next_page": nil, "previous_page": nil})
}

func (z *Zendesk) oneTicket(c *crm.Call, get func(id int64) (desk.Ticket, error)) crm.Reply {
	id, err := strconv.ParseInt(c.Record, 10, 64)
	if err != nil {
		return deskFailure(desk.ErrNotFound)
	}
	ticket, err := get(id)
	if err != nil {
		return deskFailure(err)
	}
	return crm.JSON(http.StatusOK, map[string]any{"ticket": z.linked(c, ticket)[0]})
}

func (z *Zendesk) listTickets(c *crm.Call) crm.Reply {
	p := pageOf(c)
	tickets, count := z.desk.Tickets(c.Now, p.number, p.size)
	return z.pageReply(c, p, "tickets", z.linked(c, tickets...), count)
}

// exportTickets is the incremental export by cursor. It does not look at start_time: everything here is new.
func (z *Zendesk) exportTickets(c *crm.Call) crm.Reply {
	query := c.Request.URL.Query()
	if !query.Has("start_time") && !query.Has("cursor") {
		return failure(http.StatusBadRequest, "InvalidRequest", "start_time or cursor must be given")
	}
	p := pageOf(c)
	if n, err := strconv.Atoi(fromCursor(query.Get("cursor"))); err == nil && n >= 1 && n <= maxPageNumber {
		p.number = n
	}
	tickets, count := z.desk.Tickets(c.Now, p.number, p.size)
	after := cursor(p.number + 1)
	query.Del("start_time")
	query.Set("cursor", after)
	return crm.JSON(http.StatusOK, map[string]any{
		"tickets": z.linked(c, tickets...), "after_cursor": after, "after_url": c.Link(c.Request.URL.Path + "?" + query.Encode()),
		"before_cursor": nil, "before_url": nil, "end_of_stream": p.number*p.size >= count,
	})
}

// linked gives tickets their URL.
func (z *Zendesk) linked(c *crm.Call, tickets ...desk.Ticket) []desk.Ticket {
	for i := range tickets {
		tickets[i].URL = c.Link("/api/v2/tickets/" + strconv.FormatInt(tickets[i].ID, 10) + ".json")
	}
	return tickets
}

func malformed(want string) crm.Reply {
	return failure(http.StatusBadRequest, "InvalidRequest", "The body must be JSON of the form "+want)
}

func deskFailure(err error) crm.Reply {
	switch {
	case errors.Is(err, desk.ErrNotFound):
		return failure(http.StatusNotFound, "RecordNotFound", "Not found")
	case errors.Is(err, desk.ErrBlank):
		blank := map[string]string{"error": "BlankValue", "description": "Description: cannot be blank"}
		return crm.JSON(http.StatusUnprocessableEntity, map[string]any{
			"error": "RecordInvalid", "description": "Record validation errors",
			"details": map[string]any{"base": []map[string]string{blank}},
		})
	case errors.Is(err, desk.ErrTaken):
		taken := map[string]string{"error": "DuplicateValue", "description": "Email: is already being used by another user"}
		return crm.JSON(http.StatusUnprocessableEntity, map[string]any{
			"error": "RecordInvalid", "description": "Record validation errors",
			"details": map[string]any{"email": []map[string]string{taken}},
		})
	case errors.Is(err, desk.ErrTooManyItems):
		return failure(http.StatusBadRequest, "TooManyItems", err.Error())
	}
	return failure(http.StatusInternalServerError, "InternalServerError", err.Error())
}
