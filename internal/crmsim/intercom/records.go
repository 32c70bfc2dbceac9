// SPDX-License-Identifier: Apache-2.0

package intercom

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Sizes of pages, the default and the largest, and how many records a bulk call takes.
const (
	defaultPage = 50
	maxPage     = 150
	maxBulk     = 100
)

var errConflict = errors.New("a contact matching those details already exists")

func shown(r *records.Record) records.Fields {
	out := records.Fields{"type": strings.TrimSuffix(r.Kind, "s"), "id": r.ID, "created_at": r.Created.Unix(), "updated_at": r.Updated.Unix()}
	maps.Copy(out, r.Fields)
	return out
}

// addContact makes a contact; external ids and e-mail addresses are unique.
func (i *Intercom) addContact(now time.Time, fields records.Fields) (*records.Record, error) {
	for _, field := range []string{"external_id", "email"} {
		if len(i.store.By(now, "contacts", field, records.Text(fields, field))) > 0 {
			return nil, errConflict
		}
	}
	return i.store.Create(now, "contacts", fields)
}

// putCompany changes the company with the same company_id, or makes one.
func (i *Intercom) putCompany(now time.Time, fields records.Fields) (*records.Record, error) {
	if known := i.store.By(now, "companies", "company_id", records.Text(fields, "company_id")); len(known) > 0 {
		i.store.Update(now, known[0], fields)
		return known[0], nil
	}
	return i.store.Create(now, "companies", fields)
}

func (i *Intercom) createContact(c *crm.Call) crm.Reply { return made(c, i.addContact) }
func (i *Intercom) upsertCompany(c *crm.Call) crm.Reply { return made(c, i.putCompany) }

func (i *Intercom) createIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return made(c, func(now time.Time, fields records.Fields) (*records.Record, error) {
			return i.store.Create(now, kind, fields)
		})
	}
}

// createEvent takes an event, also one that it has taken before.
func (i *Intercom) createEvent(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) || records.Text(fields, "event_name") == "" {
		return malformed()
	}
	if _, err := i.store.Create(c.Now, "events", fields); err != nil {
		return failure(http.StatusServiceUnavailable, "service_unavailable", err.Error())
	}
	return crm.Empty(http.StatusAccepted)
}

// appendTo adds something to a record.
func (i *Intercom) appendTo(kind, what string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return i.one(c, kind, func(r *records.Record) crm.Reply {
			return made(c, func(now time.Time, fields records.Fields) (*records.Record, error) {
				fields["of"] = r.ID
				return i.store.Create(now, what, fields)
			})
		})
	}
}

func made(c *crm.Call, make func(time.Time, records.Fields) (*records.Record, error)) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) || len(fields) == 0 {
		return malformed()
	}
	r, err := make(c.Now, fields)
	switch {
	case errors.Is(err, errConflict):
		return failure(http.StatusConflict, "conflict", err.Error())
	case err != nil:
		return failure(http.StatusServiceUnavailable, "service_unavailable", err.Error())
	}
	return crm.JSON(http.StatusOK, shown(r))
}

func (i *Intercom) one(c *crm.Call, kind string, do func(*records.Record) crm.Reply) crm.Reply {
	if r := i.store.Get(c.Now, kind, c.Record); r != nil {
		return do(r)
	}
	return notFound()
}

func (i *Intercom) getIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return i.one(c, kind, func(r *records.Record) crm.Reply { return crm.JSON(http.StatusOK, shown(r)) })
	}
}

func (i *Intercom) updateIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		fields := records.Fields{}
		if !c.Decode(&fields) {
			return malformed()
		}
		return i.one(c, kind, func(r *records.Record) crm.Reply {
			i.store.Update(c.Now, r, fields)
			return crm.JSON(http.StatusOK, shown(r))
		})
	}
}

func (i *Intercom) removeIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return i.one(c, kind, func(r *records.Record) crm.Reply {
			i.store.Delete(c.Now, r)
			return crm.JSON(http.StatusOK, map[string]any{"id": r.ID, "deleted": true})
		})
	}
}

// pageOf shows the records that follow the one with the id after, and from where to go on.
func pageOf(found []*records.Record, after string, size int) crm.Reply {
	from := 0
	for place, r := range found {
		if r.ID == after {
			from = place + 1
		}
	}
	data := []records.Fields{}
	cut := records.Cut(found, from, size)
	for _, r := range cut {
		data = append(data, shown(r))
	}
	pages := map[string]any{"type": "pages", "per_page": size, "total_pages": (len(found) + size - 1) / size}
	if from+size < len(found) {
		pages["next"] = map[string]any{"starting_after": cut[len(cut)-1].ID}
	}
	return crm.JSON(http.StatusOK, map[string]any{"type": "list", "data": data, "total_count": len(found), "pages": pages})
}

func (i *Intercom) listIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return pageOf(i.store.Find(c.Now, kind, records.All), c.Query("starting_after"), max(c.Number("per_page", defaultPage, maxPage), 1))
	}
}

// condition is a comparison, or several of them joined.
type condition struct {
	Field    string `json:"field"`
	Operator string `json:"operator"`
	Value    any    `json:"value"`
}

func (q condition) holds(r *records.Record) bool {
	text, is := q.Value.(string)
	value := strings.ToLower(r.Text(q.Field))
	switch q.Operator {
	case "=":
		return is && value == strings.ToLower(text)
	case "~":
		return is && strings.Contains(value, strings.ToLower(text))
	default:
		return false
	}
}

// searchIn understands one comparison, by the index.
func (i *Intercom) searchIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		var body struct {
			Query      condition `json:"query"`
			Pagination struct {
				PerPage int    `json:"per_page"`
				After   string `json:"starting_after"`
			} `json:"pagination"`
		}
		if !c.Decode(&body) || body.Query.Field == "" {
			return malformed()
		}
		size := defaultPage
		if body.Pagination.PerPage > 0 {
			size = min(body.Pagination.PerPage, maxPage)
		}
		return pageOf(i.store.Search(c.Now, kind, body.Query.holds), body.Pagination.After, size)
	}
}

func (i *Intercom) bulkContacts(c *crm.Call) crm.Reply { return i.bulk(c, "contacts", i.addContact) }

func (i *Intercom) bulkCompanies(c *crm.Call) crm.Reply { return i.bulk(c, "companies", i.putCompany) }

// bulk starts a job. Appending to one that runs is not played.
func (i *Intercom) bulk(c *crm.Call, kind string, write func(time.Time, records.Fields) (*records.Record, error)) crm.Reply {
	var body map[string][]records.Fields
	if !c.Decode(&body) || len(body[kind]) == 0 || len(body[kind]) > maxBulk {
		return malformed()
	}
	var items []records.Item
	for _, fields := range body[kind] {
		items = append(items, func(at time.Time) (*records.Record, error) { return write(at, fields) })
	}
	job := i.store.StartJob(c.Now, items)
	c.Jobs.Start(job.Done)
	return jobReply(http.StatusAccepted, kind, job, c.Now)
}

func (i *Intercom) getJob(c *crm.Call) crm.Reply {
	job := i.store.Job(c.Now, c.Record)
	if job == nil {
		return notFound()
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(c.Request.URL.Path, "/"), "/")
	return jobReply(http.StatusOK, kind, job, c.Now)
}

// jobReply says whether all went well, and nothing of single items.
func jobReply(status int, kind string, job *records.Job, now time.Time) crm.Reply {
	state := "pending"
	switch {
	case job.Ended() && job.Failed() > 0:
		state = "completed_with_errors"
	case job.Ended():
		state = "completed"
	case !now.Before(job.Started):
		state = "running"
	}
	return crm.JSON(status, map[string]any{
		"id": job.ID, "type": kind + ".bulk.job", "state": state,
		"tasks": []map[string]any{{"id": job.ID + "_task_1", "item_count": job.Total, "state": state}},
	})
}
