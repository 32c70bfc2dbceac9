// SPDX-License-Identifier: Apache-2.0

package servicenow

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// maxPage is the largest page, and the default.
const maxPage = 10_000

func shown(r *records.Record) records.Fields {
	out := records.Fields{
		"sys_id": r.ID, "number": fmt.Sprintf("INC%07d", r.Number),
		"sys_created_on": r.Created.Format("2006-01-02 15:04:05"), "sys_updated_on": r.Updated.Format("2006-01-02 15:04:05"),
	}
	maps.Copy(out, r.Fields)
	return out
}

func (s *ServiceNow) create(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return malformed()
	}
	r, err := s.store.Create(c.Now, c.Vars["table"], fields)
	if err != nil {
		return failure(http.StatusServiceUnavailable, "Insufficient storage", err.Error())
	}
	answer := crm.JSON(http.StatusCreated, map[string]any{"result": shown(r)})
	answer.Header.Set("Location", c.Link(c.Request.URL.Path+"/"+r.ID))
	return answer
}

func (s *ServiceNow) get(c *crm.Call) crm.Reply {
	return s.one(c, func(r *records.Record) crm.Reply { return crm.JSON(http.StatusOK, map[string]any{"result": shown(r)}) })
}

func (s *ServiceNow) update(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return malformed()
	}
	return s.one(c, func(r *records.Record) crm.Reply {
		s.store.Update(c.Now, r, fields)
		return crm.JSON(http.StatusOK, map[string]any{"result": shown(r)})
	})
}

func (s *ServiceNow) remove(c *crm.Call) crm.Reply {
	return s.one(c, func(r *records.Record) crm.Reply {
		s.store.Delete(c.Now, r)
		return crm.Empty(http.StatusNoContent)
	})
}

func (s *ServiceNow) one(c *crm.Call, do func(*records.Record) crm.Reply) crm.Reply {
	if r := s.store.Get(c.Now, c.Vars["table"], c.Record); r != nil {
		return do(r)
	}
	return notFound()
}

// list understands field=text conditions joined by ^. The next page is told of in the header Link.
func (s *ServiceNow) list(c *crm.Call) crm.Reply {
	found := s.store.Find(c.Now, c.Vars["table"], func(r *records.Record) bool {
		for term := range strings.SplitSeq(c.Query("sysparm_query"), "^") {
			if field, text, is := strings.Cut(term, "="); is && !strings.EqualFold(r.Text(field), text) {
				return false
			}
		}
		return true
	})
	from, size := c.Number("sysparm_offset", 0, len(found)), max(c.Number("sysparm_limit", maxPage, maxPage), 1)
	result := []records.Fields{}
	for _, r := range records.Cut(found, from, size) {
		result = append(result, shown(r))
	}
	answer := crm.JSON(http.StatusOK, map[string]any{"result": result})
	answer.Header.Set("X-Total-Count", strconv.Itoa(len(found)))
	if from+size < len(found) {
		query := c.Request.URL.Query()
		query.Set("sysparm_offset", strconv.Itoa(from+size))
		answer.Header.Set("Link", "<"+c.Link(c.Request.URL.Path+"?"+query.Encode())+`>;rel="next"`)
	}
	return answer
}

// importOne puts a row through a transform that coalesces on correlation_id: a row with a known one changes its record.
func (s *ServiceNow) importOne(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return malformed()
	}
	r, status, err := s.coalesce(c.Now, fields)
	if err != nil {
		return failure(http.StatusServiceUnavailable, "Insufficient storage", err.Error())
	}
	return crm.JSON(http.StatusCreated, map[string]any{"import_set": "ISET0010001", "staging_table": c.Vars["table"], "result": []map[string]string{{
		"transform_map": "simulated", "table": r.Kind, "display_name": "number", "status": status, "sys_id": r.ID,
	}}})
}

func (s *ServiceNow) coalesce(now time.Time, fields records.Fields) (r *records.Record, status string, err error) {
	const table = "incident"
	if known := s.store.By(now, table, "correlation_id", records.Text(fields, "correlation_id")); len(known) > 0 {
		s.store.Update(now, known[0], fields)
		return known[0], "updated", nil
	}
	r, err = s.store.Create(now, table, fields)
	return r, "inserted", err
}

// importMany puts rows through the transform later, as one job, and says nothing of single rows.
func (s *ServiceNow) importMany(c *crm.Call) crm.Reply {
	var body struct {
		Records []records.Fields `json:"records"`
	}
	if !c.Decode(&body) || len(body.Records) == 0 {
		return malformed()
	}
	var items []records.Item
	for _, fields := range body.Records {
		items = append(items, func(at time.Time) (*records.Record, error) {
			r, _, err := s.coalesce(at, fields)
			return r, err
		})
	}
	job := s.store.StartJob(c.Now, items)
	c.Jobs.Start(job.Done)
	return crm.JSON(http.StatusCreated, map[string]string{"import_set_id": job.ID, "multi_import_set_id": job.ID})
}

type batchBody struct {
	ID       string `json:"batch_request_id"`
	Requests []struct {
		ID     string `json:"id"`
		Method string `json:"method"`
		URL    string `json:"url"`
		Body   string `json:"body"`
	} `json:"rest_requests"`
}

type serviced struct {
	ID      string `json:"id"`
	Status  int    `json:"status_code"`
	Text    string `json:"status_text"`
	Body    string `json:"body"`
	Elapsed int    `json:"execution_time"`
}

// batch runs requests whose bodies are in base64. Those that it was told to let fail come back unserviced, to be sent again.
func (s *ServiceNow) batch(c *crm.Call) crm.Reply {
	var body batchBody
	if !c.Decode(&body) || len(body.Requests) == 0 {
		return malformed()
	}
	done, left := []serviced{}, []string{}
	for _, r := range body.Requests {
		if s.store.ItemFails() {
			left = append(left, r.ID)
			continue
		}
		answer := malformed()
		decoded, err := base64.StdEncoding.DecodeString(r.Body)
		target, urlErr := url.Parse(r.URL)
		if err == nil && urlErr == nil {
			part := *c
			part.Endpoint, part.Body, part.Request = s.Endpoint(r.Method, target.Path), decoded, &http.Request{Method: r.Method, URL: target, Header: http.Header{}}
			if part.Operation != batchOperation {
				answer = part.Run(&part)
			}
		}
		done = append(done, serviced{r.ID, answer.Status, http.StatusText(answer.Status), base64.StdEncoding.EncodeToString(answer.Body), 1})
	}
	return crm.JSON(http.StatusOK, map[string]any{"batch_request_id": body.ID, "serviced_requests": done, "unserviced_requests": left})
}
