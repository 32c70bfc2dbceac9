// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"net/http"
	"strings"
)

// route is an endpoint of the API. In its pattern {id} stands for any one segment.
type route struct {
	method    string
	pattern   string
	operation string
	run       func(*Server, *call) reply // the caller holds the server's lock
}

// routes are tried in order: fixed names stand before {id}.
var routes = []route{
	{http.MethodPost, "/api/v2/tickets", "CreateTicket", (*Server).createTicket},
	{http.MethodGet, "/api/v2/tickets", "ListTickets", (*Server).listTickets},
	{http.MethodPost, "/api/v2/tickets/create_many", "CreateManyTickets", (*Server).createMany},
	{http.MethodGet, "/api/v2/tickets/{id}", "GetTicket", (*Server).getTicket},
	{http.MethodPut, "/api/v2/tickets/{id}", "UpdateTicket", (*Server).updateTicket},
	{http.MethodGet, "/api/v2/users/search", "SearchUsers", (*Server).searchUsers},
	{http.MethodGet, "/api/v2/users/me", "CurrentUser", (*Server).currentUser},
	{http.MethodGet, "/api/v2/search", "Search", (*Server).search},
	{http.MethodGet, "/api/v2/search/export", "ExportSearch", (*Server).exportSearch},
	{http.MethodGet, "/api/v2/incremental/tickets/cursor", "ExportTickets", (*Server).exportTickets},
	{http.MethodGet, "/api/v2/job_statuses", "ListJobStatuses", (*Server).listJobs},
	{http.MethodGet, "/api/v2/job_statuses/show_many", "ShowManyJobStatuses", (*Server).showManyJobs},
	{http.MethodGet, "/api/v2/job_statuses/{id}", "GetJobStatus", (*Server).getJob},
}

var unknownRoute = route{operation: "Unknown", run: func(*Server, *call) reply {
	return failure(http.StatusNotFound, "InvalidEndpoint", "Not found")
}}

// findRoute returns the route of a request and the segment that {id} stands for. Every path may end in ".json".
func findRoute(method, path string) (found route, id string) {
	segments := strings.Split(strings.TrimSuffix(path, ".json"), "/")
	for _, candidate := range routes {
		if candidate.method != method {
			continue
		}
		if id, ok := match(strings.Split(candidate.pattern, "/"), segments); ok {
			return candidate, id
		}
	}
	return unknownRoute, ""
}

func match(pattern, segments []string) (id string, ok bool) {
	if len(pattern) != len(segments) {
		return "", false
	}
	for i, want := range pattern {
		switch {
		case want == "{id}":
			id = segments[i]
		case want != segments[i]:
			return "", false
		}
	}
	return id, true
}
