// SPDX-License-Identifier: Apache-2.0

package kustomer

import (
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// maxPage is the largest page, and the default.
const maxPage = 100

// names are what the records of a kind are called one by one.
var names = map[string]string{"customers": "customer", "conversations": "conversation", "messages": "message", "companies": "company"}

func shown(r *records.Record) map[string]any {
	attributes := records.Fields{"createdAt": r.Created, "updatedAt": r.Updated}
	maps.Copy(attributes, r.Fields)
	return map[string]any{
		"type": names[r.Kind], "id": r.ID, "attributes": attributes, "links": map[string]string{"self": "/v1/" + r.Kind + "/" + r.ID},
	}
}

// createIn makes a record. External ids are not unique here: nobody says that they are.
func (k *Kustomer) createIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		fields := records.Fields{}
		if !c.Decode(&fields) {
			return malformed()
		}
		return k.made(c, kind, fields)
	}
}

func (k *Kustomer) made(c *crm.Call, kind string, fields records.Fields) crm.Reply {
	r, err := k.store.Create(c.Now, kind, fields)
	if err != nil {
		return failure(http.StatusServiceUnavailable, "full", err.Error())
	}
	return crm.JSON(http.StatusCreated, map[string]any{"data": shown(r)})
}

// createOf makes a record that belongs to another.
func (k *Kustomer) createOf(owner, kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		fields := records.Fields{}
		switch {
		case k.store.Get(c.Now, owner, c.Record) == nil:
			return notFound()
		case !c.Decode(&fields):
			return malformed()
		}
		fields[names[owner]] = c.Record
		return k.made(c, kind, fields)
	}
}

// one finds the record by its id, by externalId=text or by email=text.
func (k *Kustomer) one(c *crm.Call, kind string, do func(*records.Record) crm.Reply) crm.Reply {
	r := k.store.Get(c.Now, kind, c.Record)
	if field, text, by := strings.Cut(c.Record, "="); by {
		field = map[string]string{"externalId": "externalId", "email": "emails"}[field]
		if found := k.store.By(c.Now, kind, field, text); len(found) > 0 {
			r = found[0]
		}
	}
	if r == nil {
		return notFound()
	}
	return do(r)
}

func (k *Kustomer) getIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return k.one(c, kind, func(r *records.Record) crm.Reply { return crm.JSON(http.StatusOK, map[string]any{"data": shown(r)}) })
	}
}

func (k *Kustomer) updateIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		fields := records.Fields{}
		if !c.Decode(&fields) {
			return malformed()
		}
		return k.one(c, kind, func(r *records.Record) crm.Reply {
			k.store.Update(c.Now, r, fields)
			return crm.JSON(http.StatusOK, map[string]any{"data": shown(r)})
		})
	}
}

func (k *Kustomer) removeIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply {
		return k.one(c, kind, func(r *records.Record) crm.Reply {
			k.store.Delete(c.Now, r)
			return crm.Empty(http.StatusNoContent)
		})
	}
}

func (k *Kustomer) listIn(kind string) func(*crm.Call) crm.Reply {
	return func(c *crm.Call) crm.Reply { return pageOf(c, k.store.Find(c.Now, kind, records.All)) }
}

// pageOf shows a page, whose links are paths.
func pageOf(c *crm.Call, found []*records.Record) crm.Reply {
	page, size := max(c.Number("page", 1, len(found)+1), 1), max(c.Number("pageSize", maxPage, maxPage), 1)
	data := []map[string]any{}
	for _, r := range records.Cut(found, (page-1)*size, size) {
		data = append(data, shown(r))
	}
	query := c.Request.URL.Query()
	link := func(to int) *string {
		if to < 1 || (to-1)*size >= max(len(found), 1) {
			return nil
		}
		query.Set("page", strconv.Itoa(to))
		return new(c.Request.URL.Path + "?" + query.Encode())
	}
	return crm.JSON(http.StatusOK, map[string]any{
		"data": data, "meta": map[string]int{"page": page, "pageSize": size, "total": len(found)},
		"links": map[string]*string{"self": link(page), "first": link(1), "prev": link(page - 1), "next": link(page + 1)},
	})
}

// search understands {"and": [{"customer_FIELD": {"equals": "text"}}]}, by the index.
func (k *Kustomer) search(c *crm.Call) crm.Reply {
	var body struct {
		And []map[string]struct {
			Equals string `json:"equals"`
		} `json:"and"`
	}
	if !c.Decode(&body) || len(body.And) == 0 {
		return malformed()
	}
	return pageOf(c, k.store.Search(c.Now, "customers", func(r *records.Record) bool {
		for _, terms := range body.And {
			for field, want := range terms {
				if !strings.EqualFold(r.Text(strings.TrimPrefix(field, "customer_")), want.Equals) {
					return false
				}
			}
		}
		return true
	}))
}
