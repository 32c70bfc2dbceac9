// SPDX-License-Identifier: Apache-2.0

package zoho

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// maxWrite is how many records a write takes, maxPage how many a list shows.
const (
	maxWrite = 100
	maxPage  = 200
)

type writeBody struct {
	Data   []records.Fields `json:"data"`
	Checks []string         `json:"duplicate_check_fields"`
}

// writeAll reads the body and writes one record after the other; good is the status if all went well.
func (z *Zoho) writeAll(c *crm.Call, good int, write func(body writeBody, fields records.Fields) result) crm.Reply {
	var body writeBody
	switch {
	case !c.Decode(&body) || len(body.Data) == 0:
		return failure(http.StatusBadRequest, "MANDATORY_NOT_FOUND", "required field not found: data")
	case len(body.Data) > maxWrite:
		return failure(http.StatusBadRequest, "LIMIT_EXCEEDED", "a call takes at most 100 records")
	}
	results, bad := make([]result, len(body.Data)), 0
	for i, fields := range body.Data {
		results[i] = failed("INTERNAL_ERROR", records.ErrItem.Error())
		if !z.store.ItemFails() {
			results[i] = write(body, fields)
		}
		if results[i].Status == "error" {
			bad++
		}
	}
	status := good
	switch bad {
	case 0:
	case len(results):
		status = http.StatusBadRequest
	default:
		status = http.StatusMultiStatus
	}
	return crm.JSON(status, map[string]any{"data": results})
}

func succeeded(r *records.Record, message string) result {
	return result{Code: "SUCCESS", Status: "success", Message: message, Details: map[string]any{
		"id": r.ID, "Created_Time": r.Created, "Modified_Time": r.Updated,
	}}
}

func (z *Zoho) insert(c *crm.Call) crm.Reply {
	return z.writeAll(c, http.StatusCreated, func(_ writeBody, fields records.Fields) result { return z.add(c, fields) })
}

// add makes a record. Contacts and leads need a last name.
func (z *Zoho) add(c *crm.Call, fields records.Fields) result {
	module := c.Vars["module"]
	if (module == "Contacts" || module == "Leads") && records.Text(fields, "Last_Name") == "" {
		r := failed("MANDATORY_NOT_FOUND", "required field not found")
		r.Details["api_name"] = "Last_Name"
		return r
	}
	r, err := z.store.Create(c.Now, module, fields)
	if err != nil {
		return failed("STORAGE_EXCEEDED", err.Error())
	}
	return succeeded(r, "record added")
}

// update takes the id of each record from the body, or that of one from the path.
func (z *Zoho) update(c *crm.Call) crm.Reply {
	return z.writeAll(c, http.StatusOK, func(_ writeBody, fields records.Fields) result {
		id := c.Record
		if id == "" {
			id = records.Text(fields, "id")
		}
		r := z.store.Get(c.Now, c.Vars["module"], id)
		if r == nil {
			return failed("INVALID_DATA", "the id given seems to be invalid")
		}
		delete(fields, "id")
		z.store.Update(c.Now, r, fields)
		return succeeded(r, "record updated")
	})
}

// upsert changes the record that has the same text in a field that is checked.
func (z *Zoho) upsert(c *crm.Call) crm.Reply {
	return z.writeAll(c, http.StatusOK, func(body writeBody, fields records.Fields) result {
		for _, field := range body.Checks {
			if known := z.store.By(c.Now, c.Vars["module"], field, records.Text(fields, field)); len(known) > 0 {
				z.store.Update(c.Now, known[0], fields)
				r := succeeded(known[0], "record updated")
				r.Action = "update"
				return r
			}
		}
		r := z.add(c, fields)
		r.Action = "insert"
		return r
	})
}

func shown(r *records.Record) records.Fields {
	out := records.Fields{"id": r.ID, "Created_Time": r.Created, "Modified_Time": r.Updated}
	maps.Copy(out, r.Fields)
	return out
}

func (z *Zoho) list(c *crm.Call) crm.Reply {
	return page(c, z.store.Find(c.Now, c.Vars["module"], records.All))
}

// page is 204 where there is nothing.
func page(c *crm.Call, found []*records.Record) crm.Reply {
	number, size := max(c.Number("page", 1, len(found)+1), 1), max(c.Number("per_page", maxPage, maxPage), 1)
	data := []records.Fields{}
	for _, r := range records.Cut(found, (number-1)*size, size) {
		data = append(data, shown(r))
	}
	if len(data) == 0 {
		return crm.Empty(http.StatusNoContent)
	}
	return crm.JSON(http.StatusOK, map[string]any{"data": data, "info": map[string]any{
		"page": number, "per_page": size, "count": len(data), "more_records": number*size < len(found),
	}})
}

// criterion is as much of the search language as is understood: (Field:equals:text), joined by "and".
var criterion = regexp.MustCompile(`\((\w+):equals:([^()]*)\)`)

func (z *Zoho) search(c *crm.Call) crm.Reply {
	wants := map[string]string{}
	for _, parts := range criterion.FindAllStringSubmatch(c.Query("criteria"), -1) {
		wants[parts[1]] = parts[2]
	}
	if email := c.Query("email"); email != "" {
		wants["Email"] = email
	}
	if len(wants) == 0 {
		return failure(http.StatusBadRequest, "REQUIRED_PARAM_MISSING", "one of the expected parameters is missing")
	}
	return page(c, z.store.Search(c.Now, c.Vars["module"], func(r *records.Record) bool {
		for field, text := range wants {
			if !strings.EqualFold(r.Text(field), text) {
				return false
			}
		}
		return true
	}))
}

func (z *Zoho) get(c *crm.Call) crm.Reply {
	r := z.store.Get(c.Now, c.Vars["module"], c.Record)
	if r == nil {
		return failure(http.StatusBadRequest, "INVALID_DATA", "the id given seems to be invalid")
	}
	return crm.JSON(http.StatusOK, map[string]any{"data": []records.Fields{shown(r)}})
}

func (z *Zoho) remove(c *crm.Call) crm.Reply {
	r := z.store.Get(c.Now, c.Vars["module"], c.Record)
	if r == nil {
		return failure(http.StatusBadRequest, "INVALID_DATA", "the id given seems to be invalid")
	}
	z.store.Delete(c.Now, r)
	return crm.JSON(http.StatusOK, map[string]any{"data": []result{succeeded(r, "record deleted")}})
}

// coql is as much of the query language as is understood: select ... from Module [where Field = 'text'].
var coql = regexp.MustCompile(`(?is)^\s*select\s+.+?\s+from\s+(\w+)(?:\s+where\s+\(?(\w+)\s*=\s*'([^']*)'\)?)?(?:\s+limit\s+.*)?\s*$`)

func (z *Zoho) query(c *crm.Call) crm.Reply {
	var body struct {
		Query string `json:"select_query"`
	}
	_ = c.Decode(&body) // what cannot be read is no query
	parts := coql.FindStringSubmatch(body.Query)
	if parts == nil {
		return failure(http.StatusBadRequest, "SYNTAX_ERROR", "the simulated CRM does not understand the query")
	}
	return page(c, z.store.Find(c.Now, parts[1], func(r *records.Record) bool { return parts[2] == "" || strings.EqualFold(r.Text(parts[2]), parts[3]) }))
}

// maxSubrequests is how many parts a composite request has.
const maxSubrequests = 5

type compositeBody struct {
	Requests []struct {
		ID     string          `json:"sub_request_id"`
		Method string          `json:"method"`
		URI    string          `json:"uri"`
		Body   json.RawMessage `json:"body"`
	} `json:"__composite_requests"`
}

// composite runs up to five requests, as one call.
func (z *Zoho) composite(c *crm.Call) crm.Reply {
	var body compositeBody
	if !c.Decode(&body) || len(body.Requests) == 0 || len(body.Requests) > maxSubrequests {
		return failure(http.StatusBadRequest, "INVALID_DATA", "a composite request has one to five parts")
	}
	results := []map[string]any{}
	for _, r := range body.Requests {
		target, err := url.Parse(r.URI)
		answer := failure(http.StatusBadRequest, "INVALID_DATA", "the URI is not valid")
		if err == nil {
			part := *c
			part.Endpoint, part.Body, part.Request = z.Endpoint(r.Method, target.Path), r.Body, &http.Request{Method: r.Method, URL: target, Header: http.Header{}}
			if part.Operation != "Composite" {
				answer = part.Run(&part)
			}
		}
		response := map[string]any{"status_code": answer.Status}
		if len(answer.Body) > 0 {
			response["body"] = json.RawMessage(answer.Body)
		}
		results = append(results, map[string]any{"sub_request_id": r.ID, "sub_response": response})
	}
	return crm.JSON(http.StatusOK, map[string]any{"__composite_requests": results})
}
