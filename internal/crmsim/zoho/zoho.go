// SPDX-License-Identifier: Apache-2.0

// Package zoho plays the Zoho CRM API, as far as the project needs it.
package zoho

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are those of a Professional organisation with 100 users, as text of limits.
var Limits = []string{"credits=100000/24h", "concurrent=15/concurrent,per=credential"}

// Zoho is one organisation.
type Zoho struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
}

// New returns an organisation whose only records are made-up contacts.
func New(o crm.Options) crm.CRM {
	idOf := func(_ string, number int64) string { return fmt.Sprintf("5725767000000%06d", number) }
	z := &Zoho{store: records.New(o, idOf, "External_Id")}
	z.store.MakeUp("Contacts", func(i int) records.Fields {
		name, email, phone := records.Contact(i)
		return records.Fields{"Last_Name": name, "Email": email, "Phone": phone}
	})
	const module = "/crm/{version}/{module}"
	z.routes = crm.Compile(
		crm.Route{Method: http.MethodPost, Pattern: "/crm/{version}/coql", Operation: "Query", Run: z.query},
		crm.Route{Method: http.MethodPost, Pattern: "/crm/{version}/__composite_requests", Operation: "Composite", Run: z.composite},
		crm.Route{Method: http.MethodPost, Pattern: module, Operation: "InsertRecords", Run: z.insert},
		crm.Route{Method: http.MethodPut, Pattern: module, Operation: "UpdateRecords", Run: z.update},
		crm.Route{Method: http.MethodPost, Pattern: module + "/upsert", Operation: "UpsertRecords", Run: z.upsert},
		crm.Route{Method: http.MethodGet, Pattern: module, Operation: "ListRecords", Run: z.list},
		crm.Route{Method: http.MethodGet, Pattern: module + "/search", Operation: "SearchRecords", Run: z.search},
		crm.Route{Method: http.MethodGet, Pattern: module + "/{id}", Operation: "GetRecord", Run: z.get},
		crm.Route{Method: http.MethodPut, Pattern: module + "/{id}", Operation: "UpdateRecord", Run: z.update},
		crm.Route{Method: http.MethodDelete, Pattern: module + "/{id}", Operation: "DeleteRecord", Run: z.remove},
	)
	return z
}

// Endpoint goes by method and path.
func (z *Zoho) Endpoint(method, path string) crm.Endpoint {
	return z.routes.Find(method, path, func(*crm.Call) crm.Reply {
		return failure(http.StatusNotFound, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")
	})
}

// Secret is an access token in a scheme of Zoho's own.
func (z *Zoho) Secret(r *http.Request) (user, secret string, found bool) {
	secret, found = crm.Scheme(r, "Zoho-oauthtoken")
	return "", secret, found
}

// recordsPerCredit is how many records a credit writes.
const recordsPerCredit = 10

// Weight is a credit for each ten records that are written, and for each part of a composite request, whose price is not documented.
func (z *Zoho) Weight(c *crm.Call) int {
	if c.Request.Method != http.MethodPost && c.Request.Method != http.MethodPut {
		return 0
	}
	if c.Operation == "Composite" {
		var body compositeBody
		_ = c.Decode(&body) // what cannot be read costs a credit
		return len(body.Requests)
	}
	var body writeBody
	_ = c.Decode(&body)
	return (len(body.Data) + recordsPerCredit - 1) / recordsPerCredit
}

// Refuse is 429, the same for credits and for calls in flight, and no word of when to come back.
func (z *Zoho) Refuse(_ *crm.Call, r crm.Refusal) crm.Reply {
	message := "You have exceeded the maximum number of API credits. Please try again after some time."
	if r.Limit.Kind == limit.Concurrent {
		message = "Too many requests fired in concurrent"
	}
	return failure(http.StatusTooManyRequests, "TOO_MANY_REQUESTS", message)
}

// Fail is an error in Zoho's form.
func (z *Zoho) Fail(status int, detail string) crm.Reply {
	switch status {
	case http.StatusUnauthorized:
		return failure(status, "INVALID_TOKEN", "invalid oauth token")
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return failure(status, "INVALID_DATA", detail)
	default:
		return failure(status, "INTERNAL_ERROR", detail)
	}
}

// Show tells of the credits once half of them are used.
func (z *Zoho) Show(c *crm.Call, answer *crm.Reply) {
	if s, found := c.Main(limit.Rolling); found && 2*s.Remaining <= s.Limit.Calls {
		answer.Header.Set("X-API-CREDITS-REMAINING", strconv.Itoa(s.Remaining))
	}
}

// Token tells where the API is.
func (z *Zoho) Token(base string, answer map[string]any) { answer["api_domain"] = base }

// Effects are all records but the made-up ones.
func (z *Zoho) Effects(now time.Time) crm.Effects { return z.store.Effects(now) }

// result is what became of a record, or an error.
type result struct {
	Code    string         `json:"code"`
	Status  string         `json:"status"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
	Action  string         `json:"action,omitempty"`
}

func failure(status int, code, message string) crm.Reply {
	return crm.JSON(status, failed(code, message))
}

func failed(code, message string) result {
	return result{Code: code, Status: "error", Message: message, Details: map[string]any{}}
}
