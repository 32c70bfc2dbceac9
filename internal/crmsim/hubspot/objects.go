// SPDX-License-Identifier: Apache-2.0

package hubspot

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// maxPage is the largest page of a list, defaultPage the usual one, maxFound how many records a search can lead to.
const (
	maxPage     = 100
	defaultPage = 10
	maxFound    = 10_000
)

// What a record can be refused for.
var (
	errEmpty = errors.New("properties must not be empty")
	errTaken = errors.New("Contact already exists")
)

// object is a record as answers show it.
type object struct {
	ID         string         `json:"id"`
	Properties records.Fields `json:"properties"`
	CreatedAt  time.Time      `json:"createdAt"`
	UpdatedAt  time.Time      `json:"updatedAt"`
	Archived   bool           `json:"archived"`
	New        *bool          `json:"new,omitempty"`
	TraceID    string         `json:"objectWriteTraceId,omitempty"`
}

func shown(r *records.Record) object {
	return object{ID: r.ID, Properties: r.Fields, CreatedAt: r.Created, UpdatedAt: r.Updated}
}

// insert makes a record. Contacts are known by their e-mail address; companies by nothing.
func (h *HubSpot) insert(now time.Time, kind string, properties records.Fields) (*records.Record, error) {
	switch {
	case len(properties) == 0:
		return nil, errEmpty
	case kind == "contacts" && len(h.store.By(now, kind, "email", records.Text(properties, "email"))) > 0:
		return nil, errTaken
	}
	return h.store.Create(now, kind, properties)
}

func propertiesOf(c *crm.Call) (properties records.Fields, ok bool) {
	var body struct {
		Properties records.Fields `json:"properties"`
	}
	return body.Properties, c.Decode(&body) && body.Properties != nil
}

func (h *HubSpot) create(c *crm.Call) crm.Reply {
	properties, _ := propertiesOf(c)
	r, err := h.insert(c.Now, c.Vars["type"], properties)
	if err != nil {
		return rejected(err)
	}
	return crm.JSON(http.StatusCreated, shown(r))
}

func rejected(err error) crm.Reply {
	if errors.Is(err, errTaken) {
		return failure(http.StatusConflict, "CONFLICT", err.Error())
	}
	return failure(http.StatusBadRequest, "VALIDATION_ERROR", err.Error())
}

func (h *HubSpot) get(c *crm.Call) crm.Reply {
	return h.one(c, func(r *records.Record) crm.Reply { return crm.JSON(http.StatusOK, shown(r)) })
}

func (h *HubSpot) update(c *crm.Call) crm.Reply {
	properties, ok := propertiesOf(c)
	if !ok {
		return malformed(`{"properties": {...}}`)
	}
	return h.one(c, func(r *records.Record) crm.Reply {
		h.store.Update(c.Now, r, properties)
		return crm.JSON(http.StatusOK, shown(r))
	})
}

func (h *HubSpot) archive(c *crm.Call) crm.Reply {
	return h.one(c, func(r *records.Record) crm.Reply {
		h.store.Delete(c.Now, r)
		return crm.Empty(http.StatusNoContent)
	})
}

func (h *HubSpot) one(c *crm.Call, do func(*records.Record) crm.Reply) crm.Reply {
	if r := h.lookUp(c.Now, c.Vars["type"], c.Query("idProperty"), c.Record); r != nil {
		return do(r)
	}
	return notFound()
}

// lookUp finds a record by its id, or by a property that is to be unique.
func (h *HubSpot) lookUp(now time.Time, kind, property, id string) *records.Record {
	if property == "" {
		return h.store.Get(now, kind, id)
	}
	if found := h.store.By(now, kind, property, id); len(found) > 0 {
		return found[0]
	}
	return nil
}

func (h *HubSpot) list(c *crm.Call) crm.Reply {
	all := h.store.Find(c.Now, c.Vars["type"], records.All)
	after := c.Number("after", 0, len(all))
	size := max(c.Number("limit", defaultPage, maxPage), 1)
	body := map[string]any{"results": objects(records.Cut(all, after, size))}
	if after+size < len(all) {
		query := url.Values{"limit": {strconv.Itoa(size)}, "after": {strconv.Itoa(after + size)}}
		body["paging"] = map[string]any{"next": map[string]string{
			"after": strconv.Itoa(after + size), "link": c.Link(c.Request.URL.Path + "?" + query.Encode()),
		}}
	}
	return crm.JSON(http.StatusOK, body)
}

func objects(found []*records.Record) []object {
	out := []object{}
	for _, r := range found {
		out = append(out, shown(r))
	}
	return out
}

// filter is one condition of a search. Groups of them are alternatives.
type filter struct {
	Property string `json:"propertyName"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

func (f filter) holds(r *records.Record) bool {
	value := strings.ToLower(r.Text(f.Property))
	switch f.Operator {
	case "EQ":
		return value == strings.ToLower(f.Value)
	case "CONTAINS_TOKEN":
		return strings.Contains(value, strings.ToLower(strings.Trim(f.Value, "*")))
	default:
		return false
	}
}

// search looks in the index, and gives a place to go on from, but no link.
func (h *HubSpot) search(c *crm.Call) crm.Reply {
	var body struct {
		Groups []struct {
			Filters []filter `json:"filters"`
		} `json:"filterGroups"`
		Query string `json:"query"`
		Limit int    `json:"limit"`
		After string `json:"after"`
	}
	if !c.Decode(&body) {
		return malformed(`{"filterGroups": [{"filters": [...]}]}`)
	}
	found := h.store.Search(c.Now, c.Vars["type"], func(r *records.Record) bool {
		if body.Query != "" && !strings.Contains(strings.ToLower(allText(r)), strings.ToLower(body.Query)) {
			return false
		}
		holds := len(body.Groups) == 0
		for _, group := range body.Groups {
			all := true
			for _, f := range group.Filters {
				all = all && f.holds(r)
			}
			holds = holds || all
		}
		return holds
	})
	after, err := strconv.Atoi(body.After)
	size := min(max(body.Limit, 0), 2*maxPage)
	if size == 0 {
		size = defaultPage
	}
	if body.After != "" && err != nil || after+size > maxFound {
		return failure(http.StatusBadRequest, "VALIDATION_ERROR", "a search leads to at most 10000 records")
	}
	answer := map[string]any{"total": len(found), "results": objects(records.Cut(found, after, size))}
	if after+size < len(found) {
		answer["paging"] = map[string]any{"next": map[string]string{"after": strconv.Itoa(after + size)}}
	}
	return crm.JSON(http.StatusOK, answer)
}

func allText(r *records.Record) string {
	var all strings.Builder
	for name := range r.Fields {
		all.WriteString(r.Text(name) + "\n")
	}
	return all.String()
}
