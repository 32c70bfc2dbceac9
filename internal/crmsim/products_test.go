// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// refusedAt makes a call that fits and one that does not.
func (w world) refusedAt(status int, method, target, body string, headers ...string) answer {
	w.Helper()
	if first := w.do(method, target, body, headers...); first.status >= http.StatusMultipleChoices {
		w.Fatalf("the first call is answered %d: %s", first.status, first.body)
	}
	refused := w.do(method, target, body, headers...)
	w.wantStatus(refused, status)
	return refused
}

func TestDataverseMakesThoseWaitLongerWhoGoOn(t *testing.T) {
	inBubble(t, Config{CRM: "Dynamics365", Limits: limits("requests=1/5m,per=credential")}, func(w world) {
		const path = "/api/data/v9.2/WhoAmI"
		w.wantStatus(w.do(http.MethodGet, path, ""), http.StatusOK)
		last := 0
		for range 3 {
			refused := w.do(http.MethodGet, path, "")
			wait, err := strconv.Atoi(refused.header.Get("Retry-After"))
			if err != nil || wait <= last || !strings.Contains(refused.body, `"0x80072322"`) {
				w.Errorf("after %d s now %q: %s", last, refused.header.Get("Retry-After"), refused.body)
			}
			last = wait
		}
		w.sleep(5 * time.Minute)
		if again := w.refusedAt(http.StatusTooManyRequests, http.MethodGet, path, ""); again.header.Get("Retry-After") != "300" {
			w.Errorf("after a call that was taken Retry-After is %s", again.header.Get("Retry-After"))
		}
	})
}

func TestDataverseRollsBackAllOfABulkCall(t *testing.T) {
	inBubble(t, Config{CRM: "Dynamics365"}, func(w world) {
		const path = "/api/data/v9.2/contacts/Microsoft.Dynamics.CRM."
		w.wantStatus(w.do(http.MethodPatch, "/api/data/v9.2/contacts(crmq_externalid='a')", `{"lastname": "A"}`), http.StatusNoContent)
		target := func(id string) string {
			return `{"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": "` + id + `", "crmq_externalid": "` + id + `"}`
		}
		w.wantStatus(w.do(http.MethodPost, path+"CreateMultiple", `{"Targets": [`+target("b")+`]}`), http.StatusOK)
		w.wantStatus(w.do(http.MethodPost, path+"CreateMultiple", `{"Targets": [`+target("c")+","+target("b")+`]}`), http.StatusNotFound)
		if got := w.sim.TicketsByExternalID(); len(got["a"]) != 1 || len(got["b"]) != 1 || len(got["c"]) != 0 {
			w.Errorf("there are contacts %v", got)
		}
		w.wantStatus(w.do(http.MethodPatch, "/api/data/v9.2/contacts(b)", `{}`, "If-None-Match", "*"), http.StatusPreconditionFailed)
		w.wantStatus(w.do(http.MethodPatch, "/api/data/v9.2/contacts(d)", `{}`, "If-Match", "*"), http.StatusNotFound)
	})
}

func TestDataverseBatchStopsAtTheFirstError(t *testing.T) {
	inBubble(t, Config{CRM: "Dynamics365"}, func(w world) {
		var body strings.Builder
		for _, line := range []string{"POST /api/data/v9.2/contacts", "GET /api/data/v9.2/contacts(none)", "POST /api/data/v9.2/contacts"} {
			fmt.Fprintf(&body, "--b\r\nContent-Type: application/http\r\n\r\n%s HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"lastname\": \"A\"}\r\n", line)
		}
		body.WriteString("--b--\r\n")
		for i, step := range []struct {
			prefer          string
			status, created int
		}{{"", http.StatusNotFound, 1}, {"odata.continue-on-error", http.StatusOK, 3}} {
			got := w.do(http.MethodPost, "/api/data/v9.2/$batch", body.String(), "Content-Type", "multipart/mixed; boundary=b", "Prefer", step.prefer)
			if created := w.sim.Report().Tickets.Created; got.status != step.status || created != step.created {
				w.Errorf("batch %d: %d, %d contacts: %s", i, got.status, created, got.body)
			}
		}
	})
}

func TestServiceNowDropsWhatWaitsInAFullSession(t *testing.T) {
	inBubble(t, Config{CRM: "ServiceNow", Limits: limits("session=11/concurrent,per=session"), Latency: time.Second}, func(w world) {
		send := func(headers ...string) map[int]int {
			var mu sync.Mutex
			statuses := map[int]int{}
			var calls sync.WaitGroup
			for range 20 {
				calls.Go(func() {
					got := w.do(http.MethodPost, "/api/now/table/incident", `{"short_description": "x"}`, headers...)
					mu.Lock()
					defer mu.Unlock()
					statuses[got.status]++
				})
			}
			calls.Wait()
			return statuses
		}
		if got := send(); got[http.StatusCreated] != 20 {
			w.Errorf("without a cookie: %v", got)
		}
		if got := send("Cookie", "JSESSIONID=1"); got[http.StatusCreated] != 11 || got[http.StatusAccepted] != 9 {
			w.Errorf("with a cookie: %v", got)
		}
		if created := w.sim.Report().Tickets.Created; created != 31 {
			w.Errorf("%d incidents were created", created)
		}
	})
}

func TestServiceNowBatchCountsWhatItHolds(t *testing.T) {
	inBubble(t, Config{CRM: "ServiceNow", Limits: limits("rule=10/hour:UTC"), ItemFailures: 50, Seed: 1}, func(w world) {
		body := base64.StdEncoding.EncodeToString([]byte(`{"correlation_id": "a"}`))
		part := `{"id": "1", "method": "POST", "url": "/api/now/table/incident", "body": "` + body + `"}`
		got := w.do(http.MethodPost, "/api/now/v1/batch", `{"batch_request_id": "7", "rest_requests": [`+strings.Repeat(part+",", 9)+part+`]}`)
		type reply struct {
			Serviced   []struct{ Body string } `json:"serviced_requests"`
			Unserviced []string                `json:"unserviced_requests"`
		}
		r := parse[reply](w, got)
		if created := w.sim.Report().Tickets.Created; len(r.Unserviced) == 0 || len(r.Serviced) != created || created+len(r.Unserviced) != 10 {
			w.Errorf("%d incidents, %d serviced, %d not", created, len(r.Serviced), len(r.Unserviced))
		}
		if first, err := base64.StdEncoding.DecodeString(r.Serviced[0].Body); err != nil || !strings.Contains(string(first), `"correlation_id":"a"`) {
			w.Errorf("an answer is %s, %v", first, err)
		}
		refused := w.do(http.MethodGet, "/api/now/table/incident", "")
		w.wantStatus(refused, http.StatusTooManyRequests)
		if refused.header.Get("Retry-After") != "3600" || refused.header.Get("X-RateLimit-Reset") != "946688400" {
			w.Errorf("refused with %v", refused.header)
		}
	})
}

func TestFreshdeskCountsWhatIsIncludedAndChangesMany(t *testing.T) {
	inBubble(t, Config{CRM: "Freshdesk", Limits: limits("minute=10/60s:fixed")}, func(w world) {
		for range 2 {
			w.wantStatus(w.do(http.MethodPost, "/api/v2/tickets", `{"description": "x"}`), http.StatusCreated)
		}
		got := w.do(http.MethodGet, "/api/v2/tickets?include=stats,requester", "")
		if used, left := got.header.Get("X-RateLimit-Used-CurrentRequest"), got.header.Get("X-RateLimit-Remaining"); used != "5.0" || left != "3.0" {
			w.Errorf("used %s, left %s", used, left)
		}
		ids := w.sim.TicketsByExternalID()
		if len(ids) != 0 {
			w.Errorf("tickets without an external id have one: %v", ids)
		}
		bulk := w.do(http.MethodPost, "/api/v2/tickets/bulk_update", `{"bulk_action": {"ids": [1001, 1002, 7], "properties": {"status": 5}}}`)
		w.wantStatus(bulk, http.StatusAccepted)
		href := parse[struct{ Href string }](w, bulk).Href
		w.sleep(5 * time.Second)
		if job := w.do(http.MethodGet, href, ""); strings.Count(job.body, `"success":true`) != 2 || !strings.Contains(job.body, `"completed"`) {
			w.Errorf("the job is %s", job.body)
		}
		if ticket := w.do(http.MethodGet, "/api/v2/tickets/1001", ""); !strings.Contains(ticket.body, `"status":5`) {
			w.Errorf("the ticket is %s", ticket.body)
		}
	})
}

func TestZohoTellsOfCreditsOnceHalfAreUsed(t *testing.T) {
	inBubble(t, Config{CRM: "ZohoCRM", Limits: limits("credits=8/24h")}, func(w world) {
		records := strings.TrimSuffix(strings.Repeat(`{"Last_Name": "x"},`, 31), ",")
		for _, left := range []string{"4", "0"} {
			got := w.do(http.MethodPost, "/crm/v8/Contacts", `{"data": [`+records+`]}`)
			if value := got.header.Get("X-API-CREDITS-REMAINING"); got.status != http.StatusCreated || value != left {
				w.Errorf("%d, %q credits are left, want %s", got.status, value, left)
			}
		}
		if refused := w.do(http.MethodGet, "/crm/v8/Contacts", ""); refused.status != http.StatusTooManyRequests || !strings.Contains(refused.body, `"TOO_MANY_REQUESTS"`) {
			w.Errorf("refused with %d %s", refused.status, refused.body)
		}
		if err := w.sim.SetLimits(nil); err != nil {
			w.Fatal(err)
		}
		mixed := w.do(http.MethodPost, "/crm/v8/Contacts", `{"data": [{"Last_Name": "x"}, {}]}`)
		w.wantStatus(mixed, http.StatusMultiStatus)
	})
}

func TestZohoSaysNothingWhileLessThanHalfIsUsed(t *testing.T) {
	inBubble(t, Config{CRM: "ZohoCRM", Limits: limits("credits=9/24h")}, func(w world) {
		if got := w.do(http.MethodGet, "/crm/v8/Contacts", ""); got.header.Get("X-API-CREDITS-REMAINING") != "" {
			w.Errorf("it tells of credits: %v", got.header)
		}
	})
}

func TestPipedriveMeetsThoseWhoGoOnWithAWebPage(t *testing.T) {
	inBubble(t, Config{CRM: "Pipedrive", Limits: limits("burst=1/2s,per=credential")}, func(w world) {
		const path = "/v1/users/me"
		w.refusedAt(http.StatusTooManyRequests, http.MethodGet, path, "", "X-Api-Token", "a")
		for range 9 {
			w.wantStatus(w.do(http.MethodGet, path, "", "X-Api-Token", "a"), http.StatusTooManyRequests)
		}
		page := w.do(http.MethodGet, path, "", "X-Api-Token", "a")
		w.wantStatus(page, http.StatusForbidden)
		if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || page.header.Get("X-Ratelimit-Remaining") != "" {
			w.Errorf("the page has headers %v", page.header)
		}
		w.refusedAt(http.StatusTooManyRequests, http.MethodGet, path, "", "Authorization", "Bearer b")
		for range 20 {
			w.wantStatus(w.do(http.MethodGet, path, "", "Authorization", "Bearer b"), http.StatusTooManyRequests)
		}
		w.sleep(2 * time.Second)
		w.refusedAt(http.StatusTooManyRequests, http.MethodGet, path, "", "X-Api-Token", "a")
	})
}

func TestPipedriveCountsTokens(t *testing.T) {
	inBubble(t, Config{CRM: "Pipedrive", Limits: Licence("Pipedrive")}, func(w world) {
		w.do(http.MethodGet, "/v1/persons", "")
		w.do(http.MethodGet, "/api/v2/persons/search?term=user7", "")
		for _, v := range w.sim.Report().Limits {
			if v.Limit.Name == "day" && v.Peak.Calls != 40 {
				w.Errorf("a list of version 1 and a search of version 2 took %d tokens", v.Peak.Calls)
			}
		}
	})
}

func TestIntercomCountsTenSecondsAndTellsOnlyThoseItKnows(t *testing.T) {
	config := Config{CRM: "Intercom", Limits: limits("app=1/10s:fixed,per=credential"), Tokens: []string{"token"}}
	inBubble(t, config, func(w world) {
		refused := w.refusedAt(http.StatusTooManyRequests, http.MethodGet, "/me", "", "Authorization", "Bearer token")
		if !strings.Contains(refused.body, "Exceeded rate limit of 1 in 10_seconds") || refused.header.Get("X-RateLimit-Reset") != "946684810" {
			w.Errorf("refused with %v %s", refused.header, refused.body)
		}
		stranger := w.do(http.MethodGet, "/me", "", "Authorization", "Bearer stranger")
		w.wantStatus(stranger, http.StatusUnauthorized)
		if stranger.header.Get("X-RateLimit-Limit") != "" {
			w.Errorf("a stranger is told of limits: %v", stranger.header)
		}
	})
}

func TestIntercomsJobsDoNotTellWhatFailed(t *testing.T) {
	inBubble(t, Config{CRM: "Intercom"}, func(w world) {
		w.wantStatus(w.do(http.MethodPost, "/contacts", `{"external_id": "a"}`), http.StatusOK)
		w.wantStatus(w.do(http.MethodPost, "/contacts", `{"external_id": "a"}`), http.StatusConflict)
		job := w.do(http.MethodPost, "/contacts/bulk", `{"contacts": [{"external_id": "a"}, {"external_id": "b"}]}`)
		w.wantStatus(job, http.StatusAccepted)
		w.sleep(5 * time.Second)
		got := w.do(http.MethodGet, "/contacts/bulk/"+parse[struct{ ID string }](w, job).ID, "")
		if !strings.Contains(got.body, `"completed_with_errors"`) || strings.Contains(got.body, "external_id") {
			w.Errorf("the job is %s", got.body)
		}
		if ids := w.sim.TicketsByExternalID(); len(ids["a"]) != 1 || len(ids["b"]) != 1 {
			w.Errorf("there are contacts %v", ids)
		}
	})
}

func TestKustomersBatchesTellOfEachItem(t *testing.T) {
	inBubble(t, Config{CRM: "Kustomer", Limits: limits("minute=1000/60s:fixed")}, func(w world) {
		items := make([]string, 100)
		for i := range items {
			items[i] = fmt.Sprintf(`{"externalId": "%d", "_clientRef": "ref-%d"}`, i, i)
		}
		started := w.do(http.MethodPost, "/v1/customers/bulk", "["+strings.Join(items, ",")+"]")
		w.wantStatus(started, http.StatusCreated)
		id := parse[struct{ Data struct{ ID string } }](w, started).Data.ID
		if got := w.do(http.MethodGet, "/v1/bulk/"+id, ""); !strings.Contains(got.body, `"status":"queued"`) {
			w.Errorf("the job is %s", got.body)
		}
		w.sleep(5 * time.Second)
		if got := w.do(http.MethodGet, "/v1/bulk/"+id, ""); !strings.Contains(got.body, `"status":"complete"`) {
			w.Errorf("the job is %s", got.body)
		}
		got := w.do(http.MethodGet, "/v1/bulk/"+id+"/batches", "")
		if !strings.Contains(got.body, `"successCount":100`) || strings.Count(got.body, `"_clientRef":"ref-`) != 100 {
			w.Errorf("the batches are %s", got.body)
		}
		if peak := w.sim.Report().Limits[0].Peak.Calls; peak != 4 {
			w.Errorf("four calls counted as %d", peak)
		}
	})
}

func TestEveryProductHasATokenEndpoint(t *testing.T) {
	for name, path := range map[string]string{
		"Salesforce": "/services/oauth2/token", "HubSpot": "/oauth/v1/token", "Dynamics365": "/acme.example/oauth2/v2.0/token", "ServiceNow": "/oauth_token.do",
		"ZohoCRM": "/oauth/v2/token", "Pipedrive": "/oauth/token", "Intercom": "/auth/eagle/token", "Zendesk": "/oauth/tokens",
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{CRM: name, OAuth: &OAuth{ClientID: "id", ClientSecret: "secret"}}
			inBubble(t, config, func(w world) {
				got := w.do(http.MethodPost, path, "grant_type=client_credentials&client_id=id&client_secret=secret", "Content-Type", "application/x-www-form-urlencoded")
				w.wantStatus(got, http.StatusOK)
				if url := parse[map[string]any](w, got)["instance_url"]; name == "Salesforce" && url != "http://acme.zendesk.test" {
					w.Errorf("the organisation is at %v", url)
				}
			})
		})
	}
}
