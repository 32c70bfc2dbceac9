// SPDX-License-Identifier: Apache-2.0

package freshdesk

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Sizes of pages: the default of lists and their largest, and the fixed one of searches.
const (
	defaultPage = 30
	maxPage     = 100
)

// maxBulk is how many tickets a bulk call takes. Freshdesk's documentation names no figure; clients use this one.
const maxBulk = 100

func shown(r *records.Record) records.Fields {
	out := records.Fields{"id": r.Number, "created_at": r.Created, "updated_at": r.Updated}
	maps.Copy(out, r.Fields)
	return out
}

func shownAll(found []*records.Record) []records.Fields {
	out := []records.Fields{}
	for _, r := range found {
		out = append(out, shown(r))
	}
	return out
}

// unique is the field of each kind that no two records share.
var unique = map[string]string{"contacts": "email"}

// required is what a new record must have.
var required = map[string]string{"contacts": "name", "tickets": "description"}

func (f *Freshdesk) createIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		fields := records.Fields{}
		switch {
		case !c.Decode(&fields):
			return crm.JSON(http.StatusBadRequest, map[string]string{"code": "invalid_json", "message": "Request body has invalid json format"})
		case records.Text(fields, required[kind]) == "":
			return invalid(required[kind], "It should be a/an String")
		case unique[kind] != "" && len(f.store.By(c.Now, kind, unique[kind], records.Text(fields, unique[kind]))) > 0:
			return crm.JSON(http.StatusConflict, map[string]any{
				"description": "Validation failed", "errors": []map[string]string{{"field": unique[kind], "message": "It should be a unique value", "code": "duplicate_value"}},
			})
		}
		r, err := f.store.Create(c.Now, kind, fields)
		if err != nil {
			return f.Fail(http.StatusServiceUnavailable, err.Error())
		}
		answer := crm.JSON(http.StatusCreated, shown(r))
		answer.Header.Set("Location", c.Link(c.Request.URL.Path+"/"+r.ID))
		return answer
	}
}

func (f *Freshdesk) one(c *crm.Call, kind string, do func(*records.Record) crm.Reply) crm.Reply {
	if r := f.store.Get(c.Now, kind, c.Record); r != nil {
		return do(r)
	}
	return crm.Empty(http.StatusNotFound)
}

func (f *Freshdesk) getIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return f.one(c, kind, func(r *records.Record) crm.Reply { return crm.JSON(http.StatusOK, shown(r)) })
	}
}

func (f *Freshdesk) updateIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		fields := records.Fields{}
		if !c.Decode(&fields) {
			return crm.JSON(http.StatusBadRequest, map[string]string{"code": "invalid_json", "message": "Request body has invalid json format"})
		}
		return f.one(c, kind, func(r *records.Record) crm.Reply {
			f.store.Update(c.Now, r, fields)
			return crm.JSON(http.StatusOK, shown(r))
		})
	}
}

func (f *Freshdesk) removeIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return f.one(c, kind, func(r *records.Record) crm.Reply {
			f.store.Delete(c.Now, r)
			return crm.Empty(http.StatusNoContent)
		})
	}
}

// converse adds a note or a reply to a ticket.
func (f *Freshdesk) converse(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) || records.Text(fields, "body") == "" {
		return invalid("body", "It should be a/an String")
	}
	return f.one(c, "tickets", func(r *records.Record) crm.Reply {
		fields["ticket_id"] = r.Number
		made, err := f.store.Create(c.Now, "conversations", fields)
		if err != nil {
			return f.Fail(http.StatusServiceUnavailable, err.Error())
		}
		return crm.JSON(http.StatusCreated, shown(made))
	})
}

// listIn filters by fields that stand in the query. The next page is told of in the header Link.
func (f *Freshdesk) listIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		query := c.Request.URL.Query()
		found := f.store.Find(c.Now, kind, func(r *records.Record) bool {
			for _, field := range []string{"email", "phone", "unique_external_id"} {
				if want := query.Get(field); want != "" && !strings.EqualFold(r.Text(field), want) {
					return false
				}
			}
			return true
		})
		page, size := max(c.Number("page", 1, len(found)+1), 1), max(c.Number("per_page", defaultPage, maxPage), 1)
		answer := crm.JSON(http.StatusOK, shownAll(records.Cut(found, (page-1)*size, size)))
		if page*size < len(found) {
			query.Set("page", strconv.Itoa(page+1))
			answer.Header.Set("Link", "<"+c.Link(c.Request.URL.Path+"?"+query.Encode())+`>; rel="next"`)
		}
		return answer
	}
}

// term is as much of the search language as is understood: "field:'text'", joined by AND, in double quotes.
var term = regexp.MustCompile(`(\w+):'?([^'" ]*)'?`)

func (f *Freshdesk) searchIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		wants := term.FindAllStringSubmatch(c.Query("query"), -1)
		if len(wants) == 0 {
			return invalid("query", `It should be of the form "field:'text'"`)
		}
		found := f.store.Search(c.Now, kind, func(r *records.Record) bool {
			for _, want := range wants {
				if !strings.EqualFold(r.Text(want[1]), want[2]) && !strings.EqualFold(r.Text("custom_fields."+want[1]), want[2]) {
					return false
				}
			}
			return true
		})
		page := max(c.Number("page", 1, 10), 1)
		return crm.JSON(http.StatusOK, map[string]any{"total": len(found), "results": shownAll(records.Cut(found, (page-1)*defaultPage, defaultPage))})
	}
}

type bulkBody struct {
	Action struct {
		IDs        []int64        `json:"ids"`
		Properties records.Fields `json:"properties"`
		Reply      records.Fields `json:"reply"`
	} `json:"bulk_action"`
}

func (f *Freshdesk) bulkUpdate(c *crm.Call) crm.Reply {
	return f.startJob(c, func(body bulkBody, r *records.Record, at time.Time) { f.store.Update(at, r, body.Action.Properties) })
}

func (f *Freshdesk) bulkDelete(c *crm.Call) crm.Reply {
	return f.startJob(c, func(_ bulkBody, r *records.Record, at time.Time) { f.store.Delete(at, r) })
}

// startJob makes the same change to all tickets that are named.
func (f *Freshdesk) startJob(c *crm.Call, change func(bulkBody, *records.Record, time.Time)) crm.Reply {
	var body bulkBody
	if !c.Decode(&body) || len(body.Action.IDs) == 0 || len(body.Action.IDs) > maxBulk {
		return invalid("bulk_action", fmt.Sprintf("It should have 1 to %d ids", maxBulk))
	}
	var items []records.Item
	for _, id := range body.Action.IDs {
		items = append(items, func(at time.Time) (*records.Record, error) {
			r := f.store.Get(at, "tickets", strconv.FormatInt(id, 10))
			if r == nil {
				return nil, fmt.Errorf("ticket %d is not there", id)
			}
			change(body, r, at)
			return r, nil
		})
	}
	job := f.store.StartJob(c.Now, items)
	c.Jobs.Start(job.Done)
	return crm.JSON(http.StatusAccepted, map[string]string{"job_id": job.ID, "href": c.Link("/api/v2/jobs/" + job.ID)})
}

// getJob has a form of our own: Freshdesk's documentation has none.
func (f *Freshdesk) getJob(c *crm.Call) crm.Reply {
	job := f.store.Job(c.Now, c.Record)
	if job == nil {
		return crm.Empty(http.StatusNotFound)
	}
	status, data := "in_progress", []map[string]any{}
	if job.Ended() {
		status = "completed"
	}
	for i, result := range job.Results {
		data = append(data, map[string]any{"index": i, "success": result.Err == nil})
	}
	return crm.JSON(http.StatusOK, map[string]any{"id": job.ID, "status": status, "created_at": job.Queued, "data": data})
}
