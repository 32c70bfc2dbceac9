// SPDX-License-Identifier: Apache-2.0

package dynamics365

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// maxPage is the largest page, and the default.
const maxPage = 5000

// alternate is a key that is not the record's id: field='text'.
var alternate = regexp.MustCompile(`^(\w+)='(.*)'$`)

// lookUp finds the record of a key; field and text are those of a key that is not an id.
func (d *Dataverse) lookUp(c *crm.Call, set, key string) (r *records.Record, field, text string) {
	parts := alternate.FindStringSubmatch(key)
	if parts == nil {
		return d.store.Get(c.Now, set, key), "", ""
	}
	field, text = parts[1], strings.ReplaceAll(parts[2], "''", "'")
	if found := d.store.By(c.Now, set, field, text); len(found) > 0 {
		r = found[0]
	}
	return r, field, text
}

func (d *Dataverse) create(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return malformed()
	}
	return d.insert(c, fields)
}

// add makes a record, with the id that the caller chose if there is one, and none has it.
func (d *Dataverse) add(c *crm.Call, fields records.Fields) (*records.Record, error) {
	set := c.Vars["set"]
	id := records.Text(fields, idField(set))
	switch {
	case id == "":
		return d.store.Create(c.Now, set, fields)
	case d.store.Get(c.Now, set, id) != nil:
		return nil, errDuplicate
	default:
		return d.store.CreateAs(c.Now, set, id, fields)
	}
}

var errDuplicate = errors.New("a record with matching key values already exists")

// insert makes a record and answers with where it is.
func (d *Dataverse) insert(c *crm.Call, fields records.Fields) crm.Reply {
	r, err := d.add(c, fields)
	if errors.Is(err, errDuplicate) {
		return failure(http.StatusPreconditionFailed, "0x80040237", err.Error())
	}
	if err != nil {
		return failure(http.StatusServiceUnavailable, "0x80044151", err.Error())
	}
	return located(c, r, http.StatusCreated)
}

// located is 204, or the record with a status of its own for those that prefer that.
func located(c *crm.Call, r *records.Record, status int) crm.Reply {
	answer := crm.Empty(http.StatusNoContent)
	if strings.Contains(c.Request.Header.Get("Prefer"), "return=representation") {
		answer = crm.JSON(status, shown(r))
	}
	answer.Header.Set("OData-EntityId", c.Link("/api/data/"+c.Vars["version"]+"/"+r.Kind+"("+r.ID+")"))
	return answer
}

func shown(r *records.Record) records.Fields {
	out := records.Fields{idField(r.Kind): r.ID, "createdon": r.Created, "modifiedon": r.Updated}
	maps.Copy(out, r.Fields)
	return out
}

// idField is what the id of a set's records is called: contactid for contacts, but activityid for all kinds of activities.
func idField(set string) string {
	switch set {
	case "phonecalls", "tasks", "emails", "appointments":
		return "activityid"
	default:
		return strings.TrimSuffix(set, "s") + "id"
	}
}

func (d *Dataverse) get(c *crm.Call) crm.Reply {
	r, _, _ := d.lookUp(c, c.Vars["set"], c.Record)
	if r == nil {
		return notFound()
	}
	return crm.JSON(http.StatusOK, shown(r))
}

// upsert changes a record or makes it, by an id that the caller may choose: not if it asks that the record be there, or not be there, and that is not so.
func (d *Dataverse) upsert(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return malformed()
	}
	r, field, text := d.lookUp(c, c.Vars["set"], c.Record)
	switch {
	case r == nil && c.Request.Header.Get("If-Match") == "*":
		return notFound()
	case r != nil && c.Request.Header.Get("If-None-Match") == "*":
		return failure(http.StatusPreconditionFailed, "0x80040237", "A record with matching key values already exists.")
	case r != nil:
		d.store.Update(c.Now, r, fields)
		return located(c, r, http.StatusOK)
	case field != "":
		fields[field] = text
		return d.insert(c, fields)
	}
	made, err := d.store.CreateAs(c.Now, c.Vars["set"], c.Record, fields)
	if err != nil {
		return failure(http.StatusServiceUnavailable, "0x80044151", err.Error())
	}
	return located(c, made, http.StatusCreated)
}

func (d *Dataverse) remove(c *crm.Call) crm.Reply {
	r, _, _ := d.lookUp(c, c.Vars["set"], c.Record)
	if r == nil {
		return notFound()
	}
	d.store.Delete(c.Now, r)
	return crm.Empty(http.StatusNoContent)
}

// equals is as much of $filter as is understood, joined by "and".
var equals = regexp.MustCompile(`^\s*(\w+) eq '(.*)'\s*$`)

func (d *Dataverse) list(c *crm.Call) crm.Reply {
	wants := map[string]string{}
	if filter := c.Query("$filter"); filter != "" {
		for term := range strings.SplitSeq(filter, " and ") {
			parts := equals.FindStringSubmatch(term)
			if parts == nil {
				return failure(http.StatusBadRequest, "0x80060888", "the simulated CRM does not understand "+term)
			}
			wants[parts[1]] = strings.ReplaceAll(parts[2], "''", "'")
		}
	}
	found := d.store.Find(c.Now, c.Vars["set"], func(r *records.Record) bool {
		for field, text := range wants {
			if !strings.EqualFold(r.Text(field), text) {
				return false
			}
		}
		return true
	})
	return d.page(c, records.Cut(found, 0, c.Number("$top", len(found), len(found))))
}

func (d *Dataverse) page(c *crm.Call, found []*records.Record) crm.Reply {
	size := maxPage
	if _, asked, ok := strings.Cut(c.Request.Header.Get("Prefer"), "odata.maxpagesize="); ok {
		if n, err := strconv.Atoi(strings.SplitN(asked, ",", 2)[0]); err == nil && n > 0 {
			size = min(n, maxPage)
		}
	}
	from := c.Number("$skiptoken", 0, len(found))
	value := []records.Fields{}
	for _, r := range records.Cut(found, from, size) {
		value = append(value, shown(r))
	}
	root := c.Link("/api/data/" + c.Vars["version"] + "/")
	body := map[string]any{"@odata.context": root + "$metadata#" + c.Vars["set"], "value": value}
	if from+size < len(found) {
		query := c.Request.URL.Query()
		query.Set("$skiptoken", strconv.Itoa(from+size))
		body["@odata.nextLink"] = root + c.Vars["set"] + "?" + strings.ReplaceAll(query.Encode(), url.QueryEscape("$"), "$")
	}
	return crm.JSON(http.StatusOK, body)
}

// search looks for a text in any column of contacts and cases, by the index. That the real one takes one request a second is a limit to configure.
func (d *Dataverse) search(c *crm.Call) crm.Reply {
	var body struct {
		Search string `json:"search"`
	}
	if !c.Decode(&body) || body.Search == "" {
		return malformed()
	}
	value := []records.Fields{}
	for _, set := range []string{"accounts", "contacts", "incidents"} {
		for _, r := range d.store.Search(c.Now, set, func(r *records.Record) bool { return r.Contains(body.Search) }) {
			value = append(value, shown(r))
		}
	}
	return crm.JSON(http.StatusOK, map[string]any{"value": records.Cut(value, 0, 50), "totalrecordcount": len(value)})
}
