// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// itemError is an error of a write.
type itemError struct {
	Code    string   `json:"statusCode"`
	Message string   `json:"message"`
	Fields  []string `json:"fields"`
}

// saved is what became of a write.
type saved struct {
	ID      string      `json:"id,omitempty"`
	Success bool        `json:"success"`
	Created *bool       `json:"created,omitempty"`
	Errors  []itemError `json:"errors"`
}

func rejected(code, message string, fields ...string) saved {
	return saved{Errors: []itemError{{code, message, append([]string{}, fields...)}}}
}

// missing are the fields that a new record must have.
var missing = map[string]string{"Contact": "LastName", "Lead": "LastName", "Account": "Name"}

// insert makes a record.
func (s *Salesforce) insert(now time.Time, kind string, fields records.Fields) saved {
	if field := missing[kind]; field != "" && records.Text(fields, field) == "" {
		return rejected("REQUIRED_FIELD_MISSING", "Required fields are missing: ["+field+"]", field)
	}
	r, err := s.store.Create(now, kind, fields)
	if err != nil {
		return rejected("STORAGE_LIMIT_EXCEEDED", err.Error())
	}
	return saved{ID: r.ID, Success: true, Errors: []itemError{}}
}

// put changes the record with that text in a field, or makes one. several holds if there is more than one.
func (s *Salesforce) put(now time.Time, kind, field, text string, fields records.Fields) (result saved, several bool) {
	known := s.store.By(now, kind, field, text)
	switch len(known) {
	case 0:
		fields[field] = text
		result = s.insert(now, kind, fields)
		result.Created = new(result.Success)
	case 1:
		s.store.Update(now, known[0], fields)
		result = saved{ID: known[0].ID, Success: true, Created: new(false), Errors: []itemError{}}
	default:
		result = rejected("DUPLICATE_EXTERNAL_ID", "More than one record has this external id")
	}
	return result, len(known) > 1
}

func savedReply(status int, result saved) crm.Reply {
	if result.Success {
		return crm.JSON(status, result)
	}
	e := result.Errors[0]
	return crm.JSON(http.StatusBadRequest, []problem{{e.Code, e.Message, e.Fields}})
}

func (s *Salesforce) create(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return malformed("{...}")
	}
	return savedReply(http.StatusCreated, s.insert(c.Now, c.Vars["type"], fields))
}

func (s *Salesforce) get(c *crm.Call) crm.Reply {
	return s.one(c, func(r *records.Record) crm.Reply { return crm.JSON(http.StatusOK, shown(c.Vars["version"], r)) })
}

func (s *Salesforce) update(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return malformed("{...}")
	}
	return s.one(c, func(r *records.Record) crm.Reply {
		s.store.Update(c.Now, r, fields)
		return crm.Empty(http.StatusNoContent)
	})
}

func (s *Salesforce) remove(c *crm.Call) crm.Reply {
	return s.one(c, func(r *records.Record) crm.Reply {
		s.store.Delete(c.Now, r)
		return crm.Empty(http.StatusNoContent)
	})
}

func (s *Salesforce) one(c *crm.Call, do func(*records.Record) crm.Reply) crm.Reply {
	if r := s.store.Get(c.Now, c.Vars["type"], c.Record); r != nil {
		return do(r)
	}
	return notFound()
}

func (s *Salesforce) getByExternalID(c *crm.Call) crm.Reply {
	switch found := s.store.By(c.Now, c.Vars["type"], c.Vars["field"], c.Record); len(found) {
	case 0:
		return notFound()
	case 1:
		return crm.JSON(http.StatusOK, shown(c.Vars["version"], found[0]))
	default:
		return severalReply(c.Vars["version"], found)
	}
}

// upsert answers 201 for a new record and 200 for one that was changed; 300 when several match, and then nothing is written.
func (s *Salesforce) upsert(c *crm.Call) crm.Reply {
	fields := records.Fields{}
	if !c.Decode(&fields) {
		return malformed("{...}")
	}
	result, several := s.put(c.Now, c.Vars["type"], c.Vars["field"], c.Record, fields)
	switch {
	case several:
		return severalReply(c.Vars["version"], s.store.By(c.Now, c.Vars["type"], c.Vars["field"], c.Record))
	case result.Created != nil && *result.Created:
		return savedReply(http.StatusCreated, result)
	default:
		return savedReply(http.StatusOK, result)
	}
}

func severalReply(version string, found []*records.Record) crm.Reply {
	paths := make([]string, len(found))
	for i, r := range found {
		paths[i] = pathOf(version, r)
	}
	return crm.JSON(http.StatusMultipleChoices, paths)
}

func pathOf(version string, r *records.Record) string {
	return "/services/data/" + version + "/sobjects/" + r.Kind + "/" + r.ID
}

// shown is a record as reads show it.
func shown(version string, r *records.Record) records.Fields {
	out := records.Fields{
		"attributes": map[string]string{"type": r.Kind, "url": pathOf(version, r)},
		"Id":         r.ID, "CreatedDate": r.Created, "SystemModstamp": r.Updated,
	}
	for name, value := range r.Fields {
		if name != "attributes" {
			out[name] = value
		}
	}
	return out
}
