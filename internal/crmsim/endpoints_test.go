// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

type oneTicket struct{ Ticket desk.Ticket }

func TestTicketIsCreatedUpdatedAndRead(t *testing.T) {
	inBubble(t, Config{}, func(w world) {
		created := w.create("x-1")
		w.wantStatus(created, http.StatusCreated)
		want := "http://acme.zendesk.test/api/v2/tickets/1.json"
		if got := parse[oneTicket](w, created).Ticket; got.ID != 1 || got.URL != want || created.header.Get("Location") != want {
			w.Errorf("got ticket %d at %s, Location %s", got.ID, got.URL, created.header.Get("Location"))
		}
		w.wantStatus(w.do(http.MethodPut, "/api/v2/tickets/1.json", `{"ticket": {"status": "open", "comment": {"body": "more"}}}`), http.StatusOK)
		read := parse[oneTicket](w, w.do(http.MethodGet, "/api/v2/tickets/1", "")).Ticket
		if read.Status != "open" || read.CommentCount != 2 || *read.ExternalID != "x-1" || read.URL != want {
			w.Errorf("read %+v", read)
		}
	})
}

func TestBadRequestsAreAnsweredInZendesksForm(t *testing.T) {
	tests := map[string]struct {
		method, path, body string
		status             int
		name               string
	}{
		"no JSON":                     {http.MethodPost, "/api/v2/tickets", `{`, 400, "InvalidRequest"},
		"no ticket":                   {http.MethodPost, "/api/v2/tickets", `{}`, 400, "InvalidRequest"},
		"a ticket without text":       {http.MethodPost, "/api/v2/tickets", `{"ticket": {}}`, 422, "RecordInvalid"},
		"a ticket that is not there":  {http.MethodGet, "/api/v2/tickets/7", ``, 404, "RecordNotFound"},
		"an id that is no number":     {http.MethodGet, "/api/v2/tickets/seven", ``, 404, "RecordNotFound"},
		"an update of no ticket":      {http.MethodPut, "/api/v2/tickets/7", `{"ticket": {}}`, 404, "RecordNotFound"},
		"an update without content":   {http.MethodPut, "/api/v2/tickets/7", ``, 400, "InvalidRequest"},
		"a job without items":         {http.MethodPost, "/api/v2/tickets/create_many", `{"tickets": []}`, 400, "InvalidRequest"},
		"a job that is not there":     {http.MethodGet, "/api/v2/job_statuses/7", ``, 404, "RecordNotFound"},
		"a search for nothing":        {http.MethodGet, "/api/v2/search.json", ``, 422, "invalid"},
		"an export of no kind":        {http.MethodGet, "/api/v2/search/export?query=a", ``, 400, "invalid"},
		"an export from no time":      {http.MethodGet, "/api/v2/incremental/tickets/cursor", ``, 400, "InvalidRequest"},
		"a path that is not there":    {http.MethodGet, "/api/v2/groups", ``, 404, "InvalidEndpoint"},
		"a method that is not there":  {http.MethodPatch, "/api/v2/tickets", ``, 404, "InvalidEndpoint"},
		"a path that is not clean":    {http.MethodGet, "/api/v2//tickets", ``, 404, "InvalidEndpoint"},
		"a body larger than it takes": {http.MethodPost, "/api/v2/tickets", strings.Repeat(" ", maxBody+1), 413, "RequestTooLarge"},
	}
	inBubble(t, Config{}, func(w world) {
		for name, test := range tests {
			got := w.do(test.method, test.path, test.body)
			if body := parse[struct{ Error string }](w, got); got.status != test.status || body.Error != test.name {
				w.Errorf("%s: got %d %s", name, got.status, got.body)
			}
		}
		if r := w.sim.Report(); r.Arrivals != len(tests) {
			w.Errorf("recorded %d of %d arrivals", r.Arrivals, len(tests))
		}
	})
}

func TestListsAreReadThroughTheirLinks(t *testing.T) {
	tests := map[string]struct {
		config Config
		start  string
		list   string
		want   int
		prefix string
	}{
		"tickets":            {Config{}, "/api/v2/tickets.json?per_page=2", "tickets", 5, "http://acme.zendesk.test/api/v2/tickets.json?"},
		"users":              {Config{Users: 7}, "/api/v2/users/search.json?query=example.test&per_page=3", "users", 7, "http://acme.zendesk.test/api/v2/users/search.json?"},
		"tickets that match": {Config{}, "/api/v2/search?query=type:ticket+lasted&per_page=4", "results", 5, "http://acme.zendesk.test/api/v2/search?"},
		"users that match":   {Config{Users: 7}, "/api/v2/search.json?query=type:user+user&per_page=6", "results", 7, "http://acme.zendesk.test/api/v2/search.json?"},
		"under the CRM's own URL": {
			Config{PublicURL: "https://acme.zendesk.com/"}, "/api/v2/tickets.json?per_page=5", "tickets", 5, "https://acme.zendesk.com/api/v2/tickets/",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.config, func(w world) {
				for i := range 5 {
					w.create(fmt.Sprintf("x-%d", i))
				}
				seen := map[string]bool{}
				for next := test.start; next != ""; {
					page := parse[map[string]any](w, w.do(http.MethodGet, next, ""))
					for _, record := range page[test.list].([]any) {
						seen[record.(map[string]any)["url"].(string)] = true
					}
					if page["count"] != float64(test.want) {
						w.Errorf("count is %v, want %d", page["count"], test.want)
					}
					next, _ = page["next_page"].(string)
					if next != "" && !strings.HasPrefix(next, test.prefix) {
						w.Errorf("next page is %s", next)
					}
				}
				if len(seen) != test.want {
					w.Errorf("saw %d records, want %d", len(seen), test.want)
				}
				for url := range seen {
					if base, _, _ := strings.Cut(test.prefix, "/api"); !strings.HasPrefix(url, base+"/api/v2/") {
						w.Errorf("a record is at %s", url)
					}
				}
			})
		})
	}
}

func TestPreviousPageLeadsBack(t *testing.T) {
	inBubble(t, Config{Users: 5}, func(w world) {
		type links struct {
			Next     *string `json:"next_page"`
			Previous *string `json:"previous_page"`
		}
		got := parse[links](w, w.do(http.MethodGet, "/api/v2/users/search?query=user&page=3&per_page=2", ""))
		want := links{Previous: new("http://acme.zendesk.test/api/v2/users/search?page=2&per_page=2&query=user")}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestCredentials(t *testing.T) {
	basic := func(user, password string) string {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	tests := map[string]struct {
		authorization string
		status        int
		name          string
	}{
		"an API token":            {basic("agent@acme.test/token", "secret"), 200, "agent@acme.test"},
		"a wrong API token":       {basic("agent@acme.test/token", "guess"), 401, "agent@acme.test"},
		"a password is not taken": {basic("agent@acme.test", "secret"), 401, "agent@acme.test"},
		"a bearer token":          {"Bearer other", 200, "bearer:d9298a10"},
		"a wrong bearer token":    {"Bearer guess", 401, "bearer:f1abe1b0"},
		"another scheme":          {"Digest secret", 401, "anonymous"},
		"nothing":                 {"", 401, "anonymous"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{Tokens: []string{"secret", "other"}}, func(w world) {
				got := w.do(http.MethodGet, "/api/v2/users/me.json", "", "Authorization", test.authorization)
				w.wantStatus(got, test.status)
				if test.status == 401 && got.body != `{"error":"Couldn't authenticate you"}` {
					w.Errorf("body %s", got.body)
				}
				if a := w.sim.Arrivals()[0]; a.Credential != test.name {
					w.Errorf("recorded as %q", a.Credential)
				}
			})
		})
	}
}

func TestDateIsTheCRMsClock(t *testing.T) {
	inBubble(t, Config{ClockOffset: -90 * time.Second}, func(w world) {
		w.sleep(time.Hour)
		got, err := http.ParseTime(w.do(http.MethodGet, "/api/v2/users/me", "").header.Get("Date"))
		if want := time.Now().Add(-90 * time.Second); err != nil || !got.Equal(want) {
			w.Errorf("Date is %v (%v), want %v", got, err, want)
		}
	})
}

func TestBulkJob(t *testing.T) {
	type jobs struct {
		Job  desk.JobStatus   `json:"job_status"`
		Jobs []desk.JobStatus `json:"job_statuses"`
	}
	inBubble(t, Config{JobDuration: 20 * time.Second}, func(w world) {
		const many = `{"tickets": [{"description": "a", "external_id": "a"}, {"description": "b", "external_id": "b"}]}`
		queued := w.do(http.MethodPost, "/api/v2/tickets/create_many.json", many)
		w.wantStatus(queued, http.StatusOK)
		job := parse[jobs](w, queued).Job
		if want := "http://acme.zendesk.test/api/v2/job_statuses/" + job.ID + ".json"; job.URL != want || job.Status != "queued" || job.Results != nil {
			w.Errorf("got %+v", job)
		}
		if got := queued.header.Get("zendesk-ratelimit-inflight-jobs"); got != "total=30; remaining=29; resets=20" {
			w.Errorf("job header is %q", got)
		}
		w.sleep(10 * time.Second)
		if got := parse[jobs](w, w.do(http.MethodGet, job.URL, "")).Job; got.Status != "working" || len(w.sim.TicketsByExternalID()) != 0 {
			w.Errorf("after 10 s got %+v", got)
		}
		w.sleep(10 * time.Second)
		for _, path := range []string{"/api/v2/job_statuses/show_many?ids=other," + job.ID, "/api/v2/job_statuses"} {
			got := parse[jobs](w, w.do(http.MethodGet, path, "")).Jobs
			if len(got) != 1 || got[0].Status != "completed" || len(got[0].Results) != 2 {
				w.Errorf("%s shows %+v", path, got)
			}
		}
		if diff := cmp.Diff(map[string][]int64{"a": {1}, "b": {2}}, w.sim.TicketsByExternalID()); diff != "" {
			w.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestJobsAreRefusedWhenTooManyAreInFlight(t *testing.T) {
	inBubble(t, Config{}, func(w world) {
		for range desk.MaxJobsInFlight {
			w.wantStatus(w.do(http.MethodPost, "/api/v2/tickets/create_many", `{"tickets": [{"description": "a"}]}`), http.StatusOK)
		}
		got := w.do(http.MethodPost, "/api/v2/tickets/create_many", `{"tickets": [{"description": "a"}]}`)
		body := parse[struct {
			Error string
			IDs   []string `json:"current_job_ids"`
		}](w, got)
		if got.status != http.StatusTooManyRequests || body.Error != "TooManyJobs" || len(body.IDs) != desk.MaxJobsInFlight {
			w.Errorf("got %d %+v", got.status, body)
		}
	})
}
