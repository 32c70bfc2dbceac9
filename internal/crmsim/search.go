// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"net/http"
	"strconv"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

func (s *Server) searchUsers(c *call) reply {
	p := pageOf(c)
	users, count := s.desk.SearchUsers(c.request.URL.Query().Get("query"), p.number, p.size)
	return s.pageReply(c, p, "users", s.linkedUsers(c, users), count)
}

// search finds tickets, or users for `type:user`.
func (s *Server) search(c *call) reply {
	return s.found(c, pageOf(c), desk.Kind(c.request.URL.Query().Get("query")))
}

// exportSearch is a search whose pages have cursors, of the kind of record that a parameter names.
func (s *Server) exportSearch(c *call) reply {
	kind := c.request.URL.Query().Get("filter[type]")
	if kind == "" {
		return failure(http.StatusBadRequest, "invalid", "The parameter filter[type] must not be empty")
	}
	p := pageOf(c)
	p.byCursor = true
	return s.found(c, p, kind)
}

// found answers with a page of what the query finds.
func (s *Server) found(c *call, p page, kind string) reply {
	query := c.request.URL.Query().Get("query")
	if query == "" {
		return failure(http.StatusUnprocessableEntity, "invalid", "The parameter query must not be empty")
	}
	if kind == "user" {
		users, count := s.desk.SearchUsers(query, p.number, p.size)
		results := []userResult{}
		for _, u := range s.linkedUsers(c, users) {
			results = append(results, userResult{u, "user"})
		}
		return s.pageReply(c, p, "results", results, count)
	}
	tickets, count := s.desk.SearchTickets(c.now, query, p.number, p.size)
	results := []ticketResult{}
	for _, t := range s.linked(c, tickets...) {
		results = append(results, ticketResult{t, "ticket"})
	}
	return s.pageReply(c, p, "results", results, count)
}

// currentUser is the agent whose credential the caller uses.
func (s *Server) currentUser(c *call) reply {
	const agentID = 1
	user := desk.User{ID: agentID, Name: "Agent", Email: c.arrival.Credential, Role: "agent"}
	return ok(http.StatusOK, map[string]any{"user": s.linkedUsers(c, []desk.User{user})[0]})
}

func (s *Server) linkedUsers(c *call, users []desk.User) []desk.User {
	linked := make([]desk.User, len(users))
	for i, u := range users {
		u.URL = s.link(c, "/api/v2/users/"+strconv.FormatInt(u.ID, 10)+".json")
		linked[i] = u
	}
	return linked
}

// The records of a mixed list say what they are.
type (
	ticketResult struct {
		desk.Ticket
		ResultType string `json:"result_type"`
	}
	userResult struct {
		desk.User
		ResultType string `json:"result_type"`
	}
)
