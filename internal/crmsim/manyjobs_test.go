// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"net/http"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

// TestEveryCallForManyIsAJob: of all of Zendesk's calls for many records, 30 may be queued or working together, and each does what it says.
func TestEveryCallForManyIsAJob(t *testing.T) {
	calls := []struct{ method, path, body string }{
		{http.MethodPost, "/api/v2/tickets/create_many", `{"tickets": [{"description": "a"}]}`},
		{http.MethodPost, "/api/v2/imports/tickets/create_many", `{"tickets": [{"description": "a"}]}`},
		{http.MethodPut, "/api/v2/tickets/update_many", `{"tickets": [{"id": 1, "status": "open"}]}`},
		{http.MethodPut, "/api/v2/tickets/mark_many_as_spam?ids=2", ""},
		{http.MethodDelete, "/api/v2/tickets/destroy_many?ids=1", ""},
		{http.MethodPost, "/api/v2/users/create_many", `{"users": [{"name": "a"}]}`},
		{http.MethodPost, "/api/v2/users/create_or_update_many", `{"users": [{"name": "a", "email": "a@example.test"}]}`},
		{http.MethodPut, "/api/v2/users/update_many", `{"users": [{"id": 900001, "name": "b"}]}`},
		{http.MethodDelete, "/api/v2/users/destroy_many?ids=900001", ""},
		{http.MethodPost, "/api/v2/organizations/create_many", `{"organizations": [{"name": "a"}]}`},
		{http.MethodPut, "/api/v2/organizations/update_many", `{"organizations": [{"id": 800001, "name": "b"}]}`},
		{http.MethodDelete, "/api/v2/organizations/destroy_many?ids=800001", ""},
	}
	inBubble(t, Config{}, func(w world) {
		for _, c := range calls {
			job := w.ended(w.do(c.method, c.path, c.body))
			if len(job.Results) != 1 || job.Results[0].Error != "" {
				w.Errorf("%s %s: %+v", c.method, c.path, job.Results)
			}
		}
		for _, path := range []string{"/api/v2/tickets/1", "/api/v2/tickets/2"} {
			w.wantStatus(w.do(http.MethodGet, path, ""), http.StatusNotFound)
		}
		for i := range desk.MaxJobsInFlight {
			c := calls[i%len(calls)]
			w.wantStatus(w.do(c.method, c.path, c.body), http.StatusOK)
		}
		for _, c := range calls {
			if got := w.do(c.method, c.path, c.body); parse[struct{ Error string }](w, got).Error != "TooManyJobs" {
				w.Errorf("one more %s %s: %d %s", c.method, c.path, got.status, got.body)
			}
		}
	})
}
