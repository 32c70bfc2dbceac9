// SPDX-License-Identifier: Apache-2.0

// Package hubspot plays the HubSpot CRM API, as far as the project needs it.
package hubspot

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are those of a Professional account with private apps, as text of limits. Searches count against the others, too: nobody says that they do not.
var Limits = []string{"burst=190/10s,per=credential", "day=625000/calendar:UTC", "search=5/1s,operation=" + searchOperation}

const searchOperation = "SearchObjects"

// HubSpot is one account.
type HubSpot struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
	zone   *time.Location
}

// New returns an account whose only records are made-up contacts.
func New(o crm.Options) crm.CRM {
	idOf := func(_ string, number int64) string { return strconv.FormatInt(100_000+number, 10) }
	h := &HubSpot{store: records.New(o, idOf, "external_id", "hs_unique_creation_key"), zone: o.Zone}
	h.store.MakeUp("contacts", func(i int) records.Fields {
		name, email, phone := records.Contact(i)
		return records.Fields{"lastname": name, "email": email, "phone": phone}
	})
	var routes []crm.Route
	for _, objects := range []string{"/crm/v3/objects/{type}", "/crm/objects/2026-03/{type}"} {
		routes = append(routes,
			crm.Route{Method: http.MethodPost, Pattern: objects, Operation: "CreateObject", Run: h.create},
			crm.Route{Method: http.MethodGet, Pattern: objects, Operation: "ListObjects", Run: h.list},
			crm.Route{Method: http.MethodPost, Pattern: objects + "/search", Operation: searchOperation, Run: h.search},
			crm.Route{Method: http.MethodGet, Pattern: objects + "/{id}", Operation: "GetObject", Run: h.get},
			crm.Route{Method: http.MethodPatch, Pattern: objects + "/{id}", Operation: "UpdateObject", Run: h.update},
			crm.Route{Method: http.MethodDelete, Pattern: objects + "/{id}", Operation: "ArchiveObject", Run: h.archive},
			crm.Route{Method: http.MethodPost, Pattern: objects + "/batch/create", Operation: "BatchCreateObjects", Run: h.batchCreate},
			crm.Route{Method: http.MethodPost, Pattern: objects + "/batch/read", Operation: "BatchReadObjects", Run: h.batchRead},
			crm.Route{Method: http.MethodPost, Pattern: objects + "/batch/update", Operation: "BatchUpdateObjects", Run: h.batchUpdate},
			crm.Route{Method: http.MethodPost, Pattern: objects + "/batch/upsert", Operation: "BatchUpsertObjects", Run: h.batchUpsert},
			crm.Route{Method: http.MethodPost, Pattern: objects + "/batch/archive", Operation: "BatchArchiveObjects", Run: h.batchArchive},
		)
	}
	routes = append(routes,
		crm.Route{Method: http.MethodGet, Pattern: "/account-info/v3/api-usage/daily/private-apps", Operation: "DailyUsage", Run: h.usage},
		crm.Route{Method: http.MethodGet, Pattern: "/account-info/2026-09/api-usage/daily/private-apps", Operation: "DailyUsage", Run: h.usage},
		crm.Route{Method: http.MethodGet, Pattern: "/account-info/v3/details", Operation: "AccountDetails", Run: h.details},
	)
	h.routes = crm.Compile(routes...)
	return h
}

// Endpoint goes by method and path.
func (h *HubSpot) Endpoint(method, path string) crm.Endpoint {
	return h.routes.Find(method, path, func(*crm.Call) crm.Reply { return notFound() })
}

// Secret is a bearer token.
func (h *HubSpot) Secret(r *http.Request) (user, secret string, found bool) {
	secret, found = crm.Bearer(r)
	return "", secret, found
}

// Refuse is 429 with the name of the policy, and no word of when to come back.
func (h *HubSpot) Refuse(_ *crm.Call, r crm.Refusal) crm.Reply {
	policy, message := "TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."
	switch {
	case r.Limit.Kind == limit.CalendarDay:
		policy, message = "DAILY", "You have reached your daily limit."
	case r.Limit.Operation == searchOperation:
		policy, message = "SECONDLY", "You have reached your secondly limit."
	}
	return crm.JSON(http.StatusTooManyRequests, map[string]string{
		"status": "error", "message": message, "errorType": "RATE_LIMIT", "correlationId": correlation, "policyName": policy,
	})
}

// correlation stands where the real one has an id of the request.
const correlation = "00000000-0000-4000-8000-000000000000"

// Fail is an error in HubSpot's form.
func (h *HubSpot) Fail(status int, detail string) crm.Reply {
	switch status {
	case http.StatusUnauthorized:
		return failure(status, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return failure(status, "VALIDATION_ERROR", detail)
	default:
		return failure(status, "INTERNAL_ERROR", detail)
	}
}

// Show tells of the burst and of the day, but not on searches; of the day not to callers by OAuth.
func (h *HubSpot) Show(c *crm.Call, answer *crm.Reply) {
	if c.Operation == searchOperation {
		return
	}
	if s, found := c.Main(limit.Rolling); found {
		answer.Header.Set("X-HubSpot-RateLimit-Max", strconv.Itoa(s.Limit.Calls))
		answer.Header.Set("X-HubSpot-RateLimit-Remaining", strconv.Itoa(s.Remaining))
		answer.Header.Set("X-HubSpot-RateLimit-Interval-Milliseconds", strconv.FormatInt(s.Limit.Window.Milliseconds(), 10))
	}
	if s, found := c.Main(limit.CalendarDay); found && !strings.HasPrefix(c.Credential, "oauth:") {
		answer.Header.Set("X-HubSpot-RateLimit-Daily", strconv.Itoa(s.Limit.Calls))
		answer.Header.Set("X-HubSpot-RateLimit-Daily-Remaining", strconv.Itoa(s.Remaining))
	}
}

// Effects are all records but the made-up ones.
func (h *HubSpot) Effects(now time.Time) crm.Effects { return h.store.Effects(now) }

// usage tells of the day, up to this call.
func (h *HubSpot) usage(c *crm.Call) crm.Reply {
	day, found := c.Main(limit.CalendarDay)
	if !found {
		return crm.JSON(http.StatusOK, map[string]any{"results": []any{}})
	}
	return crm.JSON(http.StatusOK, map[string]any{"results": []map[string]any{{
		"name": "private-apps-api-calls-daily", "usageLimit": day.Limit.Calls, "currentUsage": day.Limit.Calls - day.Remaining,
		"collectedAt": c.Now.UTC(), "resetsAt": c.Now.Add(day.More).UTC(), "fetchStatus": "SUCCESS",
	}}})
}

func (h *HubSpot) details(c *crm.Call) crm.Reply {
	_, offset := c.Now.In(h.zone).Zone()
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	return crm.JSON(http.StatusOK, map[string]any{
		"portalId": 1, "accountType": "STANDARD", "timeZone": h.zone.String(),
		"utcOffset": fmt.Sprintf("%c%02d:%02d", sign, offset/3600, offset/60%60), "utcOffsetMilliseconds": offset * 1000,
	})
}

// problem is an error in HubSpot's form.
type problem struct {
	Status      string              `json:"status"`
	Category    string              `json:"category"`
	Message     string              `json:"message"`
	Correlation string              `json:"correlationId,omitempty"`
	Context     map[string][]string `json:"context,omitempty"`
}

func failure(status int, category, message string) crm.Reply {
	return crm.JSON(status, problem{Status: "error", Category: category, Message: message, Correlation: correlation})
}

func notFound() crm.Reply {
	return failure(http.StatusNotFound, "OBJECT_NOT_FOUND", "Object not found")
}

func malformed(want string) crm.Reply {
	return failure(http.StatusBadRequest, "VALIDATION_ERROR", "Invalid input JSON: want "+want)
}
