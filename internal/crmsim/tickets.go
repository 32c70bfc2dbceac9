// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

type ticketBody struct {
	Ticket *desk.Input `json:"ticket"`
}

func (s *Server) createTicket(c *call) reply {
	key := c.request.Header.Get("Idempotency-Key")
	if key == "" {
		return s.createOnce(c)
	}
	return s.replays.run(c.now, key, c.body, func() reply { return s.createOnce(c) })
}

func (s *Server) createOnce(c *call) reply {
	var body ticketBody
	if err := json.Unmarshal(c.body, &body); err != nil || body.Ticket == nil {
		return malformed(`{"ticket": {...}}`)
	}
	ticket, err := s.desk.Create(c.now, *body.Ticket)
	if err != nil {
		return deskFailure(err)
	}
	ticket = s.linked(c, ticket)[0]
	answer := ok(http.StatusCreated, map[string]any{"ticket": ticket})
	answer.header.Set("Location", ticket.URL)
	return answer
}

func (s *Server) updateTicket(c *call) reply {
	var body ticketBody
	if err := json.Unmarshal(c.body, &body); err != nil || body.Ticket == nil {
		return malformed(`{"ticket": {...}}`)
	}
	return s.oneTicket(c, func(id int64) (desk.Ticket, error) { return s.desk.Update(c.now, id, *body.Ticket) })
}

func (s *Server) getTicket(c *call) reply {
	return s.oneTicket(c, func(id int64) (desk.Ticket, error) { return s.desk.Ticket(c.now, id) })
}

func (s *Server) oneTicket(c *call, get func(id int64) (desk.Ticket, error)) reply {
	id, err := strconv.ParseInt(c.id, 10, 64)
	if err != nil {
		return deskFailure(desk.ErrNotFound)
	}
	ticket, err := get(id)
	if err != nil {
		return deskFailure(err)
	}
	return ok(http.StatusOK, map[string]any{"ticket": s.linked(c, ticket)[0]})
}

func (s *Server) listTickets(c *call) reply {
	p := pageOf(c)
	tickets, count := s.desk.Tickets(c.now, p.number, p.size)
	return s.pageReply(c, p, "tickets", s.linked(c, tickets...), count)
}

// exportTickets is the incremental export by cursor. It does not look at start_time: everything here is new.
func (s *Server) exportTickets(c *call) reply {
	query := c.request.URL.Query()
	if !query.Has("start_time") && !query.Has("cursor") {
		return failure(http.StatusBadRequest, "InvalidRequest", "start_time or cursor must be given")
	}
	p := pageOf(c)
	if n, err := strconv.Atoi(fromCursor(query.Get("cursor"))); err == nil && n >= 1 && n <= maxPageNumber {
		p.number = n
	}
	tickets, count := s.desk.Tickets(c.now, p.number, p.size)
	after := cursor(p.number + 1)
	query.Del("start_time")
	query.Set("cursor", after)
	return ok(http.StatusOK, map[string]any{
		"tickets": s.linked(c, tickets...), "after_cursor": after, "after_url": s.link(c, c.request.URL.Path+"?"+query.Encode()),
		"before_cursor": nil, "before_url": nil, "end_of_stream": p.number*p.size >= count,
	})
}

// linked gives tickets their URL.
func (s *Server) linked(c *call, tickets ...desk.Ticket) []desk.Ticket {
	for i := range tickets {
		tickets[i].URL = s.link(c, "/api/v2/tickets/"+strconv.FormatInt(tickets[i].ID, 10)+".json")
	}
	return tickets
}

func malformed(want string) reply {
	return failure(http.StatusBadRequest, "InvalidRequest", "The body must be JSON of the form "+want)
}

func deskFailure(err error) reply {
	switch {
	case errors.Is(err, desk.ErrNotFound):
		return failure(http.StatusNotFound, "RecordNotFound", "Not found")
	case errors.Is(err, desk.ErrBlank):
		blank := map[string]string{"error": "BlankValue", "description": "Description: cannot be blank"}
		return ok(http.StatusUnprocessableEntity, map[string]any{
			"error": "RecordInvalid", "description": "Record validation errors",
			"details": map[string]any{"base": []map[string]string{blank}},
		})
	case errors.Is(err, desk.ErrTooManyItems):
		return failure(http.StatusBadRequest, "TooManyItems", err.Error())
	}
	return failure(http.StatusInternalServerError, "InternalServerError", err.Error())
}
