// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

type jobReply struct {
	Job desk.JobStatus `json:"job_status"`
}

// ended waits for a job of Zendesk's, by polling.
func (w world) ended(started answer) desk.JobStatus {
	w.Helper()
	job := parse[jobReply](w, started).Job
	for job.Status != "completed" {
		w.sleep(time.Second)
		job = parse[jobReply](w, w.do(http.MethodGet, "/api/v2/job_statuses/"+job.ID, "")).Job
	}
	return job
}

func TestJobsTakeTheTimeTheyAreTold(t *testing.T) {
	config := Config{JobDuration: 5 * time.Second, MaxJobDuration: time.Minute, JobRetention: time.Hour}
	inBubble(t, config, func(w world) {
		var took []time.Duration
		for i := range 200 {
			started := time.Now()
			w.ended(w.do(http.MethodPost, "/api/v2/tickets/create_many", `{"tickets": [{"comment": {"body": "x"}, "external_id": "`+fmt.Sprint(i)+`"}]}`))
			took = append(took, time.Since(started))
		}
		slices.Sort(took)
		// The median is near the geometric mean of 5 and 60 s, 17.3 s; polling adds up to a second.
		if took[0] < 5*time.Second || took[199] > 61*time.Second || took[100] < 14*time.Second || took[100] > 22*time.Second || took[199] < 35*time.Second {
			w.Errorf("jobs took %v to %v, in the middle %v", took[0], took[199], took[100])
		}
		w.sleep(time.Hour)
		if got := w.do(http.MethodGet, "/api/v2/job_statuses", ""); !strings.Contains(got.body, `"count":0`) {
			w.Errorf("after an hour there are jobs: %s", got.body)
		}
	})
}

func TestIndexMayLagBehindByAnything(t *testing.T) {
	inBubble(t, Config{IndexDelay: time.Minute, IndexJitter: 9 * time.Minute}, func(w world) {
		const tickets = 40
		for i := range tickets {
			w.create(fmt.Sprint(i))
		}
		found := func() int {
			got := w.do(http.MethodGet, "/api/v2/search?query=type:ticket+lasted", "")
			return parse[struct{ Count int }](w, got).Count
		}
		for _, step := range []struct {
			after       time.Duration
			least, most int
		}{{50 * time.Second, 0, 0}, {4 * time.Minute, 10, 30}, {5*time.Minute + 10*time.Second, tickets, tickets}} {
			w.sleep(step.after)
			if n := found(); n < step.least || n > step.most {
				w.Errorf("the index knows %d tickets, want %d to %d", n, step.least, step.most)
			}
		}
	})
}

func TestItemsFailAsOftenAsTold(t *testing.T) {
	inBubble(t, Config{ItemFailures: 20}, func(w world) {
		items := strings.Repeat(`{"comment": {"body": "x"}},`, 100)
		job := w.ended(w.do(http.MethodPost, "/api/v2/tickets/create_many", `{"tickets": [`+strings.TrimSuffix(items, ",")+`]}`))
		failed := 0
		for _, result := range job.Results {
			if result.Error != "" {
				failed++
			}
		}
		if created := w.sim.Report().Tickets.Created; failed < 8 || failed > 35 || created != 100-failed {
			w.Errorf("%d items failed, %d tickets were created", failed, created)
		}
	})
}

func TestUpdateManyTellsOfEachTicketByItsID(t *testing.T) {
	inBubble(t, Config{}, func(w world) {
		w.create("a")
		w.create("b")
		job := w.ended(w.do(http.MethodPut, "/api/v2/tickets/update_many", `{"tickets": [{"id": 2, "status": "solved"}, {"id": 9, "status": "solved"}]}`))
		want := []desk.JobResult{
			{ID: 1, Error: "TicketUpdateError", Details: desk.ErrNotFound.Error(), Status: "Failed"}, // 1 is its place
			{ID: 2, Action: "update", Status: "Updated", Success: true},
		}
		if !slices.Equal(job.Results, want) {
			w.Errorf("results are %+v", job.Results)
		}
		w.ended(w.do(http.MethodPut, "/api/v2/tickets/update_many?ids=1,2", `{"ticket": {"priority": "high"}}`))
		shown := w.do(http.MethodGet, "/api/v2/tickets/show_many?ids=2,1,7", "")
		if strings.Count(shown.body, `"priority":"high"`) != 2 || strings.Count(shown.body, `"status":"solved"`) != 1 {
			w.Errorf("the tickets are %s", shown.body)
		}
	})
}

func TestUsersAreMadeAndChanged(t *testing.T) {
	inBubble(t, Config{Users: 3}, func(w world) {
		ann := `{"user": {"name": "Ann", "email": "ann@example.test"}}`
		w.wantStatus(w.do(http.MethodPost, "/api/v2/users", ann), http.StatusCreated)
		w.wantStatus(w.do(http.MethodPost, "/api/v2/users", ann), http.StatusUnprocessableEntity)
		w.wantStatus(w.do(http.MethodPost, "/api/v2/users/create_or_update", ann), http.StatusOK)
		w.wantStatus(w.do(http.MethodPut, "/api/v2/users/900004", `{"user": {"phone": "+4930"}}`), http.StatusOK)
		w.wantStatus(w.do(http.MethodPut, "/api/v2/users/7", `{"user": {"phone": "+4930"}}`), http.StatusNotFound)
		job := w.ended(w.do(http.MethodPost, "/api/v2/users/create_or_update_many", `{"users": [{"name": "Ann B.", "email": "ann@example.test"}, {"name": "Bob"}]}`))
		if len(job.Results) != 2 || job.Results[1].ID != 900_004 || job.Results[0].ID != 900_005 {
			w.Errorf("results are %+v", job.Results)
		}
		w.ended(w.do(http.MethodPut, "/api/v2/users/update_many", `{"users": [{"id": 900005, "email": "bob@example.test"}]}`))
		found := w.do(http.MethodGet, "/api/v2/users/search?query=ann@example.test", "")
		if !strings.Contains(found.body, `"Ann B."`) || !strings.Contains(found.body, `"+4930"`) || !strings.Contains(found.body, `"count":1`) {
			w.Errorf("found %s", found.body)
		}
		if found := w.do(http.MethodGet, "/api/v2/users/search?query=bob@example.test", ""); !strings.Contains(found.body, `"count":1`) {
			w.Errorf("found %s", found.body)
		}
	})
}
