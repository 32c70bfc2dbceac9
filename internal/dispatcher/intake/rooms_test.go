// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestLimitHeadersShowTheShare: a client that paces itself by them must not see what is others'.
func TestLimitHeadersShowTheShare(t *testing.T) {
	ofTheLicence := http.Header{"X-Rate-Limit": {"400"}, "X-Rate-Limit-Remaining": {"399"}, "Ratelimit-Reset": {"7"}, "Zendesk-Ratelimit-Tickets-Index": {"total=100"}}
	rooms := []call.Room{
		{Limit: "day", Most: 2500, Left: 900, Window: 25 * time.Hour, Renews: 2*time.Hour + time.Millisecond},
		{Limit: "minute", Most: 240, Left: 17, Window: time.Minute, Renews: time.Minute},
	}
	share := map[string]string{
		"X-Rate-Limit": "240", "X-Rate-Limit-Remaining": "17", "Ratelimit-Limit": "240", "Ratelimit-Remaining": "17", "Ratelimit-Reset": "60",
		"Ratelimit-Policy": `"day";q=2500;w=90000, "minute";q=240;w=60`, "Ratelimit": `"day";r=900;t=7201, "minute";r=17;t=60`,
	}
	answered := func(rooms []call.Room) func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
		return func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
			a := answer(http.StatusOK, `{}`)
			a.Header, a.Rooms = ofTheLicence.Clone(), rooms
			return a, nil
		}
	}
	refused := func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
		return nil, &call.Refusal{Code: contract.ReasonLimitReached, Limit: "minute", Rooms: rooms}
	}
	for name, test := range map[string]struct {
		do     func(context.Context, *call.Call, time.Duration) (*call.Answer, error)
		accept string
		want   map[string]string
	}{
		"an answer of the CRM":                {answered(rooms), "", share},
		"a refusal in the CRM's words":        {refused, "", share},
		"a refusal as a problem":              {refused, "application/problem+json", share},
		"nobody holds the integration to any": {answered(nil), "", map[string]string{"X-Rate-Limit": "400", "X-Rate-Limit-Remaining": "399", "Ratelimit-Reset": "7"}},
	} {
		t.Run(name, func(t *testing.T) {
			response := handle(&fake{plan: newPlan(), do: test.do}, request("GET", "/api/v2/search", "", "Accept", test.accept))
			got := map[string]string{}
			for header := range response.Header {
				if _, asked := share[header]; asked {
					got[header] = response.Header.Get(header)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	queued := &fake{plan: newPlan(), rooms: rooms, result: call.Result{
		ID: "01J", Integration: "contact-centre/ccai", State: call.StateSucceeded, Status: http.StatusCreated, Header: ofTheLicence,
	}}
	response := handle(queued, request("POST", "/api/v2/tickets", "{}"))
	if got := response.Header.Get("X-Rate-Limit-Remaining"); response.StatusCode != http.StatusCreated || got != "17" {
		t.Errorf("a queued call that was answered at once: status %d, X-Rate-Limit-Remaining %q", response.StatusCode, got)
	}
}
