// SPDX-License-Identifier: Apache-2.0

package kustomer

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// maxBulk is how many records a bulk call takes, for one unit of the limit.
const maxBulk = 100

var errMissing = errors.New("resource not found")

// clientRef is the caller's own name for an item, which comes back with what became of it.
const clientRef = "_clientRef"

func (k *Kustomer) bulkCreate(kind string) func(*crm.Call) crm.Reply {
	return k.bulk(func(fields records.Fields) records.Item {
		return func(at time.Time) (*records.Record, error) { return k.store.Create(at, kind, fields) }
	})
}

func (k *Kustomer) bulkUpdate(kind string) func(*crm.Call) crm.Reply {
	each := k.bulk(func(fields records.Fields) records.Item {
		return func(at time.Time) (*records.Record, error) {
			return k.change(at, kind, records.Text(fields, "id"), fields)
		}
	})
	return func(c *crm.Call) crm.Reply {
		if !c.Request.URL.Query().Has("ids") {
			return each(c)
		}
		fields := records.Fields{}
		if !c.Decode(&fields) {
			return malformed()
		}
		return k.ofIDs(c, func(at time.Time, id string) (*records.Record, error) { return k.change(at, kind, id, fields) })
	}
}

func (k *Kustomer) change(at time.Time, kind, id string, fields records.Fields) (*records.Record, error) {
	r := k.store.Get(at, kind, id)
	if r == nil {
		return nil, errMissing
	}
	k.store.Update(at, r, fields)
	return r, nil
}

func (k *Kustomer) bulkDelete(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return k.ofIDs(c, func(at time.Time, id string) (*records.Record, error) {
			r := k.store.Get(at, kind, id)
			if r == nil {
				return nil, errMissing
			}
			k.store.Delete(at, r)
			return r, nil
		})
	}
}

// bulk starts a job with an item for each element of the body.
func (k *Kustomer) bulk(item func(records.Fields) records.Item) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		var body []records.Fields
		if !c.Decode(&body) {
			return malformed()
		}
		var items []records.Item
		for _, fields := range body {
			items = append(items, item(fields))
		}
		return k.start(c, items)
	}
}

// ofIDs starts a job with an item for each id of the query.
func (k *Kustomer) ofIDs(c *crm.Call, do func(at time.Time, id string) (*records.Record, error)) crm.Reply {
	var items []records.Item
	for id := range strings.SplitSeq(c.Query("ids"), ",") {
		items = append(items, func(at time.Time) (*records.Record, error) { return do(at, id) })
	}
	return k.start(c, items)
}

func (k *Kustomer) start(c *crm.Call, items []records.Item) crm.Reply {
	if len(items) == 0 || len(items) > maxBulk {
		return malformed()
	}
	job := k.store.StartJob(c.Now, items)
	c.Jobs.Start(job.Done)
	return bulkReply(http.StatusCreated, job, c.Now)
}

func bulkReply(status int, job *records.Job, now time.Time) crm.Reply {
	state := "queued"
	switch {
	case job.Ended():
		state = "complete"
	case !now.Before(job.Started):
		state = "running"
	}
	return crm.JSON(status, map[string]any{"data": map[string]any{
		"type": "bulk", "id": job.ID, "status": state, "attributes": map[string]any{"status": state, "createdAt": job.Queued},
	}})
}

func (k *Kustomer) getBulk(c *crm.Call) crm.Reply {
	job := k.store.Job(c.Now, c.Record)
	if job == nil {
		return notFound()
	}
	return bulkReply(http.StatusOK, job, c.Now)
}

// getBatches tells of each item; of one that failed, only that it did and why: nobody says that its reference comes back.
func (k *Kustomer) getBatches(c *crm.Call) crm.Reply {
	job := k.store.Job(c.Now, c.Record)
	if job == nil {
		return notFound()
	}
	results, ids := []map[string]any{}, []string{}
	for _, r := range job.Results {
		switch {
		case r.Err != nil:
			results = append(results, map[string]any{"success": false, "error": r.Err.Error()})
		default:
			ids = append(ids, r.Record.ID)
			results = append(results, map[string]any{"success": true, "id": r.Record.ID, clientRef: r.Record.Text(clientRef)})
		}
	}
	return crm.JSON(http.StatusOK, map[string]any{"data": []map[string]any{{
		"type": "bulk_batch", "id": job.ID + "_1", "attributes": map[string]any{
			"successCount": len(ids), "failureCount": job.Failed(), "objectIds": ids, "results": results,
		},
	}}})
}
