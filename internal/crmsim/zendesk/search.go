// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"net/http"
	"strconv"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

func (z *Zendesk) searchUsers(c *crm.Call) crm.Reply {
	p := pageOf(c)
	users, count := z.desk.SearchUsers(c.Request.URL.Query().Get("query"), p.number, p.size)
	return z.pageReply(c, p, "users", z.linkedUsers(c, users), count)
}

// search finds tickets, or users for `type:user`.
func (z *Zendesk) search(c *crm.Call) crm.Reply {
	return z.found(c, pageOf(c), desk.Kind(c.Request.URL.Query().Get("query")))
}

// exportSearch is a search whose pages have cursors, of the kind of record that a parameter names.
func (z *Zendesk) exportSearch(c *crm.Call) crm.Reply {
	kind := c.Request.URL.Query().Get("filter[type]")
	if kind == "" {
		return failure(http.StatusBadRequest, "invalid", "The parameter filter[type] must not be empty")
	}
	p := pageOf(c)
	p.byCursor = true
	return z.found(c, p, kind)
}

// found answers with a page of what the query finds.
func (z *Zendesk) found(c *crm.Call, p page, kind string) crm.Reply {
	query := c.Request.URL.Query().Get("query")
	if query == "" {
		return failure(http.StatusUnprocessableEntity, "invalid", "The parameter query must not be empty")
	}
	if kind == "user" {
		users, count := z.desk.SearchUsers(query, p.number, p.size)
		results := []userResult{}
		for _, u := range z.linkedUsers(c, users) {
			results = append(results, userResult{u, "user"})
		}
		return z.pageReply(c, p, "results", results, count)
	}
	tickets, count := z.desk.SearchTickets(c.Now, query, p.number, p.size)
	results := []ticketResult{}
	for _, t := range z.linked(c, tickets...) {
		results = append(results, ticketResult{t, "ticket"})
	}
	return z.pageReply(c, p, "results", results, count)
}

// currentUser is the agent whose credential the caller uses.
func (z *Zendesk) currentUser(c *crm.Call) crm.Reply {
	const agentID = 1
	user := desk.User{ID: agentID, Name: "Agent", Email: c.Credential, Role: "agent"}
	return crm.JSON(http.StatusOK, map[string]any{"user": z.linkedUsers(c, []desk.User{user})[0]})
}

func (z *Zendesk) linkedUsers(c *crm.Call, users []desk.User) []desk.User {
	linked := make([]desk.User, len(users))
	for i, u := range users {
		u.URL = c.Link("/api/v2/users/" + strconv.FormatInt(u.ID, 10) + ".json")
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
