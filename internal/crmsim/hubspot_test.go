// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHubSpotBatchTellsOfEachInputIfItIsTraced(t *testing.T) {
	inBubble(t, Config{CRM: "HubSpot", Limits: limits("burst=100/10s")}, func(w world) {
		const path = "/crm/v3/objects/tickets/batch/create"
		traced := w.do(http.MethodPost, path, `{"inputs": [
			{"properties": {"subject": "a", "external_id": "a"}, "objectWriteTraceId": "1"}, {"properties": {}, "objectWriteTraceId": "2"}]}`)
		w.wantStatus(traced, http.StatusMultiStatus)
		type reply struct {
			Results []struct{ ID, ObjectWriteTraceID string }
			Errors  []struct {
				Category string
				Context  struct{ ObjectWriteTraceID []string }
			}
		}
		got := parse[reply](w, traced)
		if len(got.Results) != 1 || got.Results[0].ObjectWriteTraceID != "1" || len(got.Errors) != 1 || got.Errors[0].Context.ObjectWriteTraceID[0] != "2" {
			w.Errorf("got %+v", got)
		}
		w.wantStatus(w.do(http.MethodPost, path, `{"inputs": [{"properties": {"subject": "b", "external_id": "b"}}, {"properties": {}}]}`), http.StatusBadRequest)
		w.wantStatus(w.do(http.MethodPost, path, `{"inputs": [{"properties": {"subject": "b", "external_id": "c"}}]}`), http.StatusCreated)
		if got := w.sim.TicketsByExternalID(); len(got["a"]) != 1 || len(got["b"]) != 0 || len(got["c"]) != 1 {
			w.Errorf("there are tickets %v", got)
		}
		w.wantStatus(w.do(http.MethodPost, path, `{"inputs": [`+strings.Repeat(`{},`, 100)+`{}]}`), http.StatusBadRequest)
		if peak := w.sim.Report().Limits[0].Peak.Calls; peak != 4 {
			w.Errorf("four calls counted as %d", peak)
		}
	})
}

func TestHubSpotUpsertHasOneEffect(t *testing.T) {
	inBubble(t, Config{CRM: "HubSpot"}, func(w world) {
		for _, isNew := range []string{`"new":true`, `"new":false`} {
			got := w.do(http.MethodPost, "/crm/objects/2026-03/contacts/batch/upsert", `{"inputs": [{"idProperty": "external_id", "id": "x", "properties": {"lastname": "A"}}]}`)
			if !strings.Contains(got.body, isNew) {
				w.Errorf("%s is not in %s", isNew, got.body)
			}
		}
		if got := w.sim.TicketsByExternalID()["x"]; len(got) != 1 {
			w.Errorf("there are %d contacts", len(got))
		}
	})
}

func TestHubSpotNamesThePolicyThatRefuses(t *testing.T) {
	tests := map[string]struct{ limit, want string }{
		"the burst": {"burst=1/10s", "TEN_SECONDLY_ROLLING"},
		"the day":   {"day=1/calendar:UTC", "DAILY"},
		"searches":  {"search=1/1s,operation=SearchObjects", "SECONDLY"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{CRM: "HubSpot", Limits: limits(test.limit)}, func(w world) {
				search := func() answer {
					return w.do(http.MethodPost, "/crm/v3/objects/contacts/search", `{"query": "user7", "limit": 2}`)
				}
				first := search()
				w.wantStatus(first, http.StatusOK)
				refused := search()
				w.wantStatus(refused, http.StatusTooManyRequests)
				if got := parse[struct{ PolicyName string }](w, refused).PolicyName; got != test.want {
					w.Errorf("the policy is %q, want %q", got, test.want)
				}
				for header := range first.header {
					if strings.HasPrefix(header, "X-Hubspot") {
						w.Errorf("a search tells of limits: %s", header)
					}
				}
			})
		})
	}
}

func TestHubSpotTellsOfItsLimitsAndOfTheDay(t *testing.T) {
	zone := time.FixedZone("", -5*3600)
	config := Config{CRM: "HubSpot", Limits: limits("burst=9/10s,per=credential", "day=50/calendar:UTC"), Users: 25, Zone: zone}
	inBubble(t, config, func(w world) {
		got := w.do(http.MethodGet, "/crm/v3/objects/contacts?limit=20", "")
		for header, want := range map[string]string{
			"X-HubSpot-RateLimit-Max": "9", "X-HubSpot-RateLimit-Remaining": "8", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
			"X-HubSpot-RateLimit-Daily": "50", "X-HubSpot-RateLimit-Daily-Remaining": "49",
		} {
			if value := got.header.Get(header); value != want {
				w.Errorf("%s is %q, want %q", header, value, want)
			}
		}
		type list struct {
			Results []struct{ ID string }
			Paging  struct{ Next struct{ Link string } }
		}
		next := w.do(http.MethodGet, parse[list](w, got).Paging.Next.Link, "")
		if last := parse[list](w, next); len(last.Results) != 5 || last.Paging.Next.Link != "" {
			w.Errorf("the second page is %+v", last)
		}
		usage := w.do(http.MethodGet, "/account-info/v3/api-usage/daily/private-apps", "")
		if !strings.Contains(usage.body, `"currentUsage":3`) || !strings.Contains(usage.body, `"resetsAt":"2000-01-02T00:00:00Z"`) {
			w.Errorf("the day's use is %s", usage.body)
		}
		if details := w.do(http.MethodGet, "/account-info/v3/details", ""); !strings.Contains(details.body, `"utcOffset":"-05:00"`) {
			w.Errorf("the account is %s", details.body)
		}
	})
}
