// SPDX-License-Identifier: Apache-2.0

// Package zendesk plays the Zendesk Support API, as far as the project needs it.
package zendesk

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

// Limits are those of the Suite Professional licence, with the limits of single endpoints, as text of limits.
var Limits = []string{
	"minute=400/60s:fixed",
	"jobs=30/jobs,path=/api/v2/*/*_many,method=POST",
	"ticket-update=100/60s:fixed,operation=UpdateTicket",
	"one-ticket=30/10m:fixed,operation=UpdateTicket,per=record",
	"user-update=1/1s:fixed,operation=UpdateUser",
	"one-user=5/60s:fixed,operation=UpdateUser,per=record",
	"incremental=10/60s:fixed,path=/api/v2/incremental/**",
	"search-export=100/60s:fixed,operation=ExportSearch",
}

// Zendesk is one account.
type Zendesk struct {
	crm.Defaults
	routes  crm.Routes
	desk    *desk.Desk
	replays replays
}

// New returns an account without tickets.
func New(o crm.Options) crm.CRM {
	z := &Zendesk{
		replays: replays{validity: o.IdempotencyValidity},
		desk: desk.New(desk.Options{
			JobDuration: o.JobDuration, JobRetention: o.JobRetention, IndexDelay: o.IndexDelay, ItemFails: o.ItemFails,
			Users: o.Users, MaxTickets: o.MaxRecords,
		}),
	}
	z.routes = crm.Compile(
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/tickets", Operation: "CreateTicket", Run: z.createTicket},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/tickets", Operation: "ListTickets", Run: z.listTickets},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/tickets/create_many", Operation: "CreateManyTickets", Run: z.createMany},
		crm.Route{Method: http.MethodPut, Pattern: "/api/v2/tickets/update_many", Operation: "UpdateManyTickets", Run: z.updateMany},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/imports/tickets/create_many", Operation: "ImportTickets", Run: z.createMany},
		crm.Route{Method: http.MethodDelete, Pattern: "/api/v2/tickets/destroy_many", Operation: "DestroyManyTickets", Run: z.destroyMany},
		crm.Route{Method: http.MethodPut, Pattern: "/api/v2/tickets/mark_many_as_spam", Operation: "MarkManyTicketsAsSpam", Run: z.destroyMany},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/tickets/show_many", Operation: "ShowManyTickets", Run: z.showMany},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/tickets/{id}", Operation: "GetTicket", Run: z.getTicket},
		crm.Route{Method: http.MethodPut, Pattern: "/api/v2/tickets/{id}", Operation: "UpdateTicket", Run: z.updateTicket},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/users/search", Operation: "SearchUsers", Run: z.searchUsers},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/users/me", Operation: "CurrentUser", Run: z.currentUser},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/users", Operation: "CreateUser", Run: z.createUser},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/users/create_or_update", Operation: "CreateOrUpdateUser", Run: z.upsertUser},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/users/create_many", Operation: "CreateManyUsers", Run: z.createUsers},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/users/create_or_update_many", Operation: "CreateOrUpdateManyUsers", Run: z.upsertUsers},
		crm.Route{Method: http.MethodPut, Pattern: "/api/v2/users/update_many", Operation: "UpdateManyUsers", Run: z.updateUsers},
		crm.Route{Method: http.MethodDelete, Pattern: "/api/v2/users/destroy_many", Operation: "DestroyManyUsers", Run: z.destroyUsers},
		crm.Route{Method: http.MethodPut, Pattern: "/api/v2/users/{id}", Operation: "UpdateUser", Run: z.updateUser},
		crm.Route{Method: http.MethodPost, Pattern: "/api/v2/organizations/create_many", Operation: "CreateManyOrganizations", Run: z.createOrganizations},
		crm.Route{Method: http.MethodPut, Pattern: "/api/v2/organizations/update_many", Operation: "UpdateManyOrganizations", Run: z.updateOrganizations},
		crm.Route{Method: http.MethodDelete, Pattern: "/api/v2/organizations/destroy_many", Operation: "DestroyManyOrganizations", Run: z.destroyOrganizations},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/search", Operation: "Search", Run: z.search},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/search/export", Operation: "ExportSearch", Run: z.exportSearch},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/incremental/tickets/cursor", Operation: "ExportTickets", Run: z.exportTickets},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/job_statuses", Operation: "ListJobStatuses", Run: z.listJobs},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/job_statuses/show_many", Operation: "ShowManyJobStatuses", Run: z.showManyJobs},
		crm.Route{Method: http.MethodGet, Pattern: "/api/v2/job_statuses/{id}", Operation: "GetJobStatus", Run: z.getJob},
	)
	return z
}

// Endpoint goes by method and path. Every path may end in ".json".
func (z *Zendesk) Endpoint(method, path string) crm.Endpoint {
	return z.routes.Find(method, strings.TrimSuffix(path, ".json"), func(*crm.Call) crm.Reply {
		return failure(http.StatusNotFound, "InvalidEndpoint", "Not found")
	})
}

// Secret is an API token, as the password of "email/token", or a bearer token.
func (z *Zendesk) Secret(r *http.Request) (user, secret string, found bool) {
	if user, secret, found := r.BasicAuth(); found {
		email, isToken := strings.CutSuffix(user, "/token")
		if !isToken {
			secret = "" // a person's password, which nobody has
		}
		return email, secret, true
	}
	secret, found = crm.Bearer(r)
	return "", secret, found
}

// Refuse is 429 with Retry-After.
func (z *Zendesk) Refuse(_ *crm.Call, r crm.Refusal) crm.Reply {
	answer := failure(http.StatusTooManyRequests, "APIRateLimitExceeded", "Number of allowed API requests per minute exceeded")
	answer.Header.Set("Retry-After", crm.Seconds(max(r.Retry, time.Second)))
	return answer
}

// Fail is an error in Zendesk's form.
func (z *Zendesk) Fail(status int, detail string) crm.Reply {
	switch status {
	case http.StatusUnauthorized:
		return failure(status, "Couldn't authenticate you", "")
	case http.StatusRequestEntityTooLarge:
		return failure(status, "RequestTooLarge", detail)
	default:
		return failure(status, strings.ReplaceAll(http.StatusText(status), " ", ""), detail)
	}
}

// Show tells of the licence's main limit: the first that counts all calls together in windows.
func (z *Zendesk) Show(c *crm.Call, answer *crm.Reply) {
	s, found := c.Main()
	if !found {
		return
	}
	calls, left := strconv.Itoa(s.Limit.Calls), strconv.Itoa(s.Remaining)
	answer.Header.Set("X-Rate-Limit", calls)
	answer.Header.Set("X-Rate-Limit-Remaining", left)
	answer.Header.Set("ratelimit-limit", calls)
	answer.Header.Set("ratelimit-remaining", left)
	answer.Header.Set("ratelimit-reset", crm.Seconds(s.More))
}

// Effects are the tickets.
func (z *Zendesk) Effects(now time.Time) crm.Effects {
	var e crm.Effects
	e.ByExternalID, e.WithoutExternalID = z.desk.ByExternalID(now)
	e.Created, e.Updated = z.desk.Counts(now)
	return e
}

// failure is an error in Zendesk's form.
func failure(status int, name, description string) crm.Reply {
	return crm.JSON(status, struct {
		Error       string `json:"error"`
		Description string `json:"description,omitempty"`
	}{name, description})
}
