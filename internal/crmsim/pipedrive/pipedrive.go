// SPDX-License-Identifier: Apache-2.0

// Package pipedrive plays the Pipedrive API, as far as the project needs it.
package pipedrive

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// Limits are those of a Growth company with ten seats and API tokens, as text of limits. The day is counted in tokens. It ends at midnight where the servers are, which
// Pipedrive does not say: the time zone here is an example. Creating costs as much as updating: no figure is given for it.
var Limits = []string{
	"burst=40/2s,per=credential",
	"search-burst=10/2s,per=credential,operation=SearchV1",
	"search-burst-v2=10/2s,per=credential,operation=SearchV2",
	"day=600000/calendar:Europe/Tallinn,cost=GetV1:2,cost=ListV1:20,cost=CreateV1:10,cost=UpdateV1:10,cost=DeleteV1:6,cost=SearchV1:40," +
		"cost=ListV2:10,cost=CreateV2:5,cost=UpdateV2:5,cost=DeleteV2:3,cost=SearchV2:20",
}

// Pipedrive is one company.
type Pipedrive struct {
	crm.Defaults
	routes crm.Routes
	store  *records.Store
	// pushed counts the refusals of a caller since its last call that was taken.
	pushed map[string]int
}

// New returns a company whose only records are made-up contacts.
func New(o crm.Options) crm.CRM {
	idOf := func(_ string, number int64) string { return strconv.FormatInt(number, 10) }
	p := &Pipedrive{store: records.New(o, idOf, "external_id"), pushed: map[string]int{}}
	p.store.MakeUp("persons", func(i int) records.Fields {
		name, email, phone := records.Contact(i)
		return records.Fields{"name": name, "email": email, "phone": phone}
	})
	var routes []crm.Route
	for root, version := range map[string]string{"/v1": "V1", "/api/v1": "V1", "/api/v2": "V2"} {
		change := http.MethodPut
		if version == "V2" {
			change = http.MethodPatch
		}
		routes = append(routes,
			crm.Route{Method: http.MethodGet, Pattern: root + "/users/me", Operation: "Get" + version, Run: p.me},
			crm.Route{Method: http.MethodGet, Pattern: root + "/itemSearch", Operation: "Search" + version, Run: p.searchPersons},
			crm.Route{Method: http.MethodGet, Pattern: root + "/{type}/search", Operation: "Search" + version, Run: p.search},
			crm.Route{Method: http.MethodGet, Pattern: root + "/{type}", Operation: "List" + version, Run: p.list},
			crm.Route{Method: http.MethodPost, Pattern: root + "/{type}", Operation: "Create" + version, Run: p.create},
			crm.Route{Method: http.MethodGet, Pattern: root + "/{type}/{id}", Operation: "Get" + version, Run: p.get},
			crm.Route{Method: change, Pattern: root + "/{type}/{id}", Operation: "Update" + version, Run: p.update},
			crm.Route{Method: http.MethodDelete, Pattern: root + "/{type}/{id}", Operation: "Delete" + version, Run: p.remove},
		)
	}
	p.routes = crm.Compile(routes...)
	return p
}

// Endpoint goes by method and path.
func (p *Pipedrive) Endpoint(method, path string) crm.Endpoint {
	return p.routes.Find(method, path, func(*crm.Call) crm.Reply { return failure(http.StatusNotFound, "Unknown method .") })
}

// Secret is an API token in a header or a parameter, or a bearer token.
func (p *Pipedrive) Secret(r *http.Request) (user, secret string, found bool) {
	if secret, found = crm.Bearer(r); found {
		return "", secret, true
	}
	secret = r.Header.Get("X-Api-Token")
	if secret == "" {
		secret = r.URL.Query().Get("api_token")
	}
	return "", secret, secret != ""
}

func byAPIToken(r *http.Request) bool {
	_, isBearer := crm.Bearer(r)
	return !isBearer
}

// patience is how many refused calls in a row are answered in words before an API token is met with a web page. Pipedrive names no figure; this is a small one.
const patience = 10

// blocked is what Cloudflare shows.
const blocked = "<!DOCTYPE html><html><head><title>Access denied</title></head><body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>"

// Refuse is 429, for the burst as for the day, and no word of when to come back. Callers by API token who go on get 403 and a web page.
func (p *Pipedrive) Refuse(c *crm.Call, _ crm.Refusal) crm.Reply {
	p.pushed[c.Credential]++
	if p.pushed[c.Credential] <= patience || !byAPIToken(c.Request) {
		return failure(http.StatusTooManyRequests, "Rate limit exceeded")
	}
	answer := crm.Empty(http.StatusForbidden)
	answer.Header.Set("Content-Type", "text/html; charset=UTF-8")
	answer.Header.Set("Server", "cloudflare")
	answer.Body = []byte(blocked)
	return answer
}

// Fail is an error in Pipedrive's form.
func (p *Pipedrive) Fail(status int, detail string) crm.Reply {
	if status == http.StatusUnauthorized {
		detail = "unauthorized access"
	}
	return failure(status, detail)
}

// Show tells of the burst, in seconds, unless the answer is Cloudflare's. What is left of the day is told to writers with an API token only.
func (p *Pipedrive) Show(c *crm.Call, answer *crm.Reply) {
	refused := answer.Status == http.StatusTooManyRequests || answer.Status == http.StatusForbidden
	if !refused {
		delete(p.pushed, c.Credential)
	}
	if answer.Status == http.StatusForbidden {
		return
	}
	if s, found := c.Main(limit.Rolling); found {
		answer.Header.Set("x-ratelimit-limit", strconv.Itoa(s.Limit.Calls))
		answer.Header.Set("x-ratelimit-remaining", strconv.Itoa(s.Remaining))
		answer.Header.Set("x-ratelimit-reset", crm.Seconds(s.More))
	}
	writes := c.Request.Method == http.MethodPost || c.Request.Method == http.MethodPut
	if s, found := c.Main(limit.CalendarDay); found && writes && byAPIToken(c.Request) {
		answer.Header.Set("x-daily-requests-left", strconv.Itoa(s.Remaining))
	}
}

// Effects are all records but the made-up ones.
func (p *Pipedrive) Effects(now time.Time) crm.Effects { return p.store.Effects(now) }

func failure(status int, message string) crm.Reply {
	return crm.JSON(status, map[string]any{"success": false, "error": message, "errorCode": status})
}

func success(status int, data any) crm.Reply {
	return crm.JSON(status, map[string]any{"success": true, "data": data})
}

func (p *Pipedrive) me(*crm.Call) crm.Reply {
	return success(http.StatusOK, map[string]any{"id": 1, "name": "Agent", "company_timezone": "Europe/Berlin"})
}

func shown(r *records.Record) records.Fields {
	out := records.Fields{"id": r.Number, "add_time": r.Created, "update_time": r.Updated}
	maps.Copy(out, r.Fields)
	return out
}

func (p *Pipedrive) create(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) || records.Text(fields, "name")+records.Text(fields, "title")+records.Text(fields, "subject")+records.Text(fields, "content") == "" {
		return failure(http.StatusBadRequest, "name, title, subject or content is required")
	}
	r, err := p.store.Create(c.Now, c.Vars["type"], fields)
	if err != nil {
		return failure(http.StatusServiceUnavailable, err.Error())
	}
	return success(http.StatusCreated, shown(r))
}

func (p *Pipedrive) get(c *crm.Call) crm.Reply {
	return p.one(c, func(r *records.Record) crm.Reply { return success(http.StatusOK, shown(r)) })
}

func (p *Pipedrive) update(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return failure(http.StatusBadRequest, "the body is not valid JSON")
	}
	return p.one(c, func(r *records.Record) crm.Reply {
		p.store.Update(c.Now, r, fields)
		return success(http.StatusOK, shown(r))
	})
}

func (p *Pipedrive) remove(c *crm.Call) crm.Reply {
	return p.one(c, func(r *records.Record) crm.Reply {
		p.store.Delete(c.Now, r)
		return success(http.StatusOK, map[string]int64{"id": r.Number})
	})
}

func (p *Pipedrive) one(c *crm.Call, do func(*records.Record) crm.Reply) crm.Reply {
	if r := p.store.Get(c.Now, c.Vars["type"], c.Record); r != nil {
		return do(r)
	}
	return failure(http.StatusNotFound, "Item not found")
}

// Sizes of pages: the default and the largest.
const (
	defaultPage = 100
	maxPage     = 500
)

// list tells where to go on: by a place in version 1, by a cursor in version 2.
func (p *Pipedrive) list(c *crm.Call) crm.Reply {
	found := p.store.Find(c.Now, c.Vars["type"], records.All)
	from := c.Number("start", c.Number("cursor", 0, len(found)), len(found))
	size := max(c.Number("limit", defaultPage, maxPage), 1)
	data := []records.Fields{}
	for _, r := range records.Cut(found, from, size) {
		data = append(data, shown(r))
	}
	more := from+size < len(found)
	next := map[string]any{"next_cursor": nil}
	switch {
	case c.Operation == "ListV2" && more:
		next["next_cursor"] = strconv.Itoa(from + size)
	case c.Operation == "ListV1":
		pagination := map[string]any{"start": from, "limit": size, "more_items_in_collection": more}
		if more {
			pagination["next_start"] = from + size
		}
		next = map[string]any{"pagination": pagination}
	}
	return crm.JSON(http.StatusOK, map[string]any{"success": true, "data": data, "additional_data": next})
}

// search looks for a term in the records' texts, by the index.
func (p *Pipedrive) search(c *crm.Call) crm.Reply { return p.searchIn(c, c.Vars["type"]) }

// searchPersons is the search for items of any kind; it finds persons.
func (p *Pipedrive) searchPersons(c *crm.Call) crm.Reply { return p.searchIn(c, "persons") }

func (p *Pipedrive) searchIn(c *crm.Call, kind string) crm.Reply {
	term := c.Query("term")
	if len(term) < 2 {
		return failure(http.StatusBadRequest, "term must have at least 2 characters")
	}
	items := []map[string]any{}
	found := p.store.Search(c.Now, kind, func(r *records.Record) bool { return r.Contains(term) })
	for _, r := range records.Cut(found, 0, defaultPage) {
		items = append(items, map[string]any{"result_score": 1, "item": shown(r)})
	}
	return success(http.StatusOK, map[string]any{"items": items})
}
