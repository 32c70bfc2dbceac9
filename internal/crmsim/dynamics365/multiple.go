// SPDX-License-Identifier: Apache-2.0

package dynamics365

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// targets reads the body of a bulk call; ok is false if it cannot be. One item that cannot be written has none written: tables here are standard ones.
func (d *Dataverse) targets(c *crm.Call, writable func(records.Fields) bool) (all []records.Fields, refusal *crm.Reply) {
	var body struct {
		Targets []records.Fields `json:"Targets"`
	}
	if !c.Decode(&body) || len(body.Targets) == 0 {
		return nil, new(malformed())
	}
	for _, fields := range body.Targets {
		if records.Text(fields, "@odata.type") == "" {
			return nil, new(failure(http.StatusBadRequest, "0x80048d19", "@odata.type is missing"))
		}
		if !writable(fields) {
			return nil, new(notFound())
		}
		if d.store.ItemFails() {
			return nil, new(failure(http.StatusBadRequest, "0x80040265", records.ErrItem.Error()))
		}
		delete(fields, "@odata.type")
	}
	return body.Targets, nil
}

func (d *Dataverse) createMultiple(c *crm.Call) crm.Reply {
	set := c.Vars["set"]
	all, refusal := d.targets(c, func(fields records.Fields) bool {
		return d.store.Get(c.Now, set, records.Text(fields, idField(set))) == nil
	})
	if refusal != nil {
		return *refusal
	}
	ids := []string{}
	for _, fields := range all {
		r, err := d.add(c, fields)
		if err != nil {
			return failure(http.StatusServiceUnavailable, "0x80044151", err.Error())
		}
		ids = append(ids, r.ID)
	}
	return crm.JSON(http.StatusOK, map[string]any{"Ids": ids})
}

func (d *Dataverse) updateMultiple(c *crm.Call) crm.Reply {
	set := c.Vars["set"]
	find := func(fields records.Fields) *records.Record {
		return d.store.Get(c.Now, set, records.Text(fields, idField(set)))
	}
	all, refusal := d.targets(c, func(fields records.Fields) bool { return find(fields) != nil })
	if refusal != nil {
		return *refusal
	}
	for _, fields := range all {
		d.store.Update(c.Now, find(fields), fields)
	}
	return crm.Empty(http.StatusNoContent)
}

// upsertMultiple goes by keys in "@odata.id": contacts(key='text'), or contacts(id).
func (d *Dataverse) upsertMultiple(c *crm.Call) crm.Reply {
	all, refusal := d.targets(c, func(fields records.Fields) bool { return strings.Contains(records.Text(fields, "@odata.id"), "(") })
	if refusal != nil {
		return *refusal
	}
	for _, fields := range all {
		_, key, _ := strings.Cut(strings.TrimSuffix(records.Text(fields, "@odata.id"), ")"), "(")
		delete(fields, "@odata.id")
		r, field, text := d.lookUp(c, c.Vars["set"], key)
		var err error
		switch {
		case r != nil:
			d.store.Update(c.Now, r, fields)
		case field != "":
			fields[field] = text
			_, err = d.store.Create(c.Now, c.Vars["set"], fields)
		default:
			_, err = d.store.CreateAs(c.Now, c.Vars["set"], key, fields)
		}
		if err != nil {
			return failure(http.StatusServiceUnavailable, "0x80044151", err.Error())
		}
	}
	return crm.Empty(http.StatusNoContent)
}

// maxBatch is how many operations a batch takes.
const maxBatch = 1000

// batch runs requests of a multipart body, one after the other; it stops at the first that fails, unless the caller prefers otherwise. Change sets are not taken.
func (d *Dataverse) batch(c *crm.Call) crm.Reply {
	_, params, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return malformed()
	}
	var parts []*http.Request
	for reader := multipart.NewReader(bytes.NewReader(c.Body), params["boundary"]); ; {
		part, err := reader.NextPart()
		if err == io.EOF { //nolint:errorlint // NextPart documents that it returns io.EOF itself
			break
		}
		if err != nil || part.Header.Get("Content-Type") != "application/http" {
			return malformed()
		}
		request, err := readRequest(part)
		if err != nil {
			return malformed()
		}
		parts = append(parts, request)
	}
	if len(parts) == 0 || len(parts) > maxBatch {
		return failure(http.StatusBadRequest, "0x80060890", "A batch has 1 to 1000 operations")
	}
	return d.runBatch(c, parts)
}

// readRequest reads an embedded request, whose body ends with the part.
func readRequest(part io.Reader) (*http.Request, error) {
	all, err := io.ReadAll(part)
	if err != nil {
		return nil, err
	}
	head, body, _ := bytes.Cut(all, []byte("\r\n\r\n"))
	line, fields, _ := bytes.Cut(append(head, "\r\n\r\n"...), []byte("\r\n"))
	words := strings.Fields(string(line))
	if len(words) < 2 {
		return nil, fmt.Errorf("%q is no request", line)
	}
	target, err := url.Parse(words[1])
	if err != nil {
		return nil, err
	}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(fields))).ReadMIMEHeader()
	return &http.Request{Method: words[0], URL: target, Header: http.Header(header), Body: io.NopCloser(bytes.NewReader(body))}, err
}

func (d *Dataverse) runBatch(c *crm.Call, requests []*http.Request) crm.Reply {
	goesOn := strings.Contains(c.Request.Header.Get("Prefer"), "odata.continue-on-error")
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	status := http.StatusOK
	for _, r := range requests {
		part := *c
		part.Endpoint, part.Request = d.Endpoint(r.Method, r.URL.Path), r
		part.Body, _ = io.ReadAll(r.Body) // it is in memory
		answer := failure(http.StatusBadRequest, "0x80060890", "A batch cannot hold another")
		if part.Operation != "Batch" {
			answer = part.Run(&part)
		}
		write(w, answer)
		if answer.Status >= http.StatusBadRequest && !goesOn {
			status = answer.Status
			break
		}
	}
	_ = w.Close() // it writes to memory
	answer := crm.Empty(status)
	answer.Header.Set("Content-Type", "multipart/mixed; boundary="+w.Boundary())
	answer.Body = out.Bytes()
	return answer
}

func write(w *multipart.Writer, answer crm.Reply) {
	part, _ := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http"}, "Content-Transfer-Encoding": {"binary"}}) // to memory
	_, _ = fmt.Fprintf(part, "HTTP/1.1 %d %s\r\n", answer.Status, http.StatusText(answer.Status))
	_ = answer.Header.Write(part)
	_, _ = fmt.Fprintf(part, "\r\n%s", answer.Body)
}
