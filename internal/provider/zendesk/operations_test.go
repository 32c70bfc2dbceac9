// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

func TestClassify(t *testing.T) {
	type class = dialect.Class
	for name, test := range map[string]struct {
		method, path, body string
		want               class
	}{
		"creating a ticket has a key":       {"POST", "/api/v2/tickets", `{"ticket":{}}`, class{Operation: "CreateTicket", Key: idempotencyKey}},
		"a path may end in .json":           {"POST", "/api/v2/tickets.json", ``, class{Operation: "CreateTicket", Key: idempotencyKey}},
		"a path may end in a slash":         {"POST", "/api/v2/tickets/", ``, class{Operation: "CreateTicket", Key: idempotencyKey}},
		"creating many tickets has no key":  {"POST", "/api/v2/tickets/create_many.json", ``, class{Operation: "CreateTickets"}},
		"updating many tickets":             {"PUT", "/api/v2/tickets/update_many.json", `{"tickets":[{"id":1}]}`, class{Operation: "UpdateTickets", Idempotent: true}},
		"another path has no name":          {"POST", "/api/v2/tickets/12/tags", ``, class{}},
		"another prefix has no name":        {"POST", "/api/v1/tickets", ``, class{}},
		"updating a field can be repeated":  {"PUT", "/api/v2/tickets/12.json", `{"ticket":{"status":"open"}}`, class{Operation: "UpdateTicket", Idempotent: true}},
		"updating with a comment cannot":    {"PUT", "/api/v2/tickets/12", `{"ticket":{"comment":{"body":"x"}}}`, class{Operation: "UpdateTicket"}},
		"an escaped comment is one":         {"PUT", "/api/v2/tickets/12", `{"ticket":{"\u0063omment":{"body":"x"}}}`, class{Operation: "UpdateTicket"}},
		"an update that is no JSON cannot":  {"PUT", "/api/v2/tickets/12", `ticket[comment]=x`, class{Operation: "UpdateTicket"}},
		"many updates without comments can": {"PUT", "/api/v2/tickets/update_many", `{"tickets":[{"id":1},{"id":2}]}`, class{Operation: "UpdateTickets", Idempotent: true}},
		"one comment among many cannot":     {"PUT", "/api/v2/tickets/update_many", `{"tickets":[{"id":1},{"id":2,"comment":{}}]}`, class{Operation: "UpdateTickets"}},
		"marking as spam can be repeated":   {"PUT", "/api/v2/tickets/12/mark_as_spam", ``, class{Idempotent: true}},
		"other updates can be repeated":     {"PUT", "/api/v2/users/12", `{"user":{}}`, class{Idempotent: true}},
		"deleting many can be repeated":     {"DELETE", "/api/v2/tickets/destroy_many.json", ``, class{Operation: "DestroyTickets", Idempotent: true}},
		"marking many as spam, too":         {"PUT", "/api/v2/tickets/mark_many_as_spam", ``, class{Operation: "MarkTicketsAsSpam", Idempotent: true}},
		"importing cannot":                  {"POST", "/api/v2/imports/tickets/create_many.json", `{"tickets":[{}]}`, class{Operation: "ImportTickets"}},
		"creating organizations cannot":     {"POST", "/api/v2/organizations/create_many", `{"organizations":[{}]}`, class{Operation: "CreateOrganizations"}},
		"searching users":                   {"GET", "/api/v2/users/search.json", ``, class{Operation: "SearchUsers", Idempotent: true}},
		"searching":                         {"GET", "/api/v2/search", ``, class{Operation: "Search", Idempotent: true}},
		"deleting can be repeated":          {"DELETE", "/api/v2/tickets/12", ``, class{Idempotent: true}},
		"patching cannot":                   {"PATCH", "/api/v2/tickets/12", `{}`, class{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Zendesk{}.Classify(test.method, test.path, []byte(test.body))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
