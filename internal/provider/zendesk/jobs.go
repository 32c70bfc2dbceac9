// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// jobStatus is what Zendesk tells of a background job (developer.zendesk.com/api-reference/ticketing/ticket-management/job_statuses).
type jobStatus struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// Jobs are told of by the answer to the call that started one, and to those that ask for the status of one or many. Of 30 that may be queued or working at a time, those
// that are completed or failed, or that Zendesk killed, count no more.
func (Zendesk) Jobs(method string, status int, body []byte) (started, ended []string) {
	var answer struct {
		One  *jobStatus  `json:"job_status"`
		Many []jobStatus `json:"job_statuses"`
	}
	if status != http.StatusOK || json.Unmarshal(body, &answer) != nil {
		return nil, nil
	}
	if answer.One != nil {
		answer.Many = append(answer.Many, *answer.One)
		if method != http.MethodGet && answer.One.ID != "" {
			started = []string{answer.One.ID}
		}
	}
	for _, j := range answer.Many {
		switch j.Status {
		case "completed", "failed", "killed":
			ended = append(ended, j.ID)
		}
	}
	return started, ended
}

// PollJobs asks for the status of a hundred at a time.
func (Zendesk) PollJobs(jobs []string) (poll dialect.Request, asked int) {
	asked = min(len(jobs), maxItems)
	return dialect.Request{
		Method: http.MethodGet, Target: "/api/v2/job_statuses/show_many.json?ids=" + url.QueryEscape(strings.Join(jobs[:asked], ",")),
	}, asked
}
