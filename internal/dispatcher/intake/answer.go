// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// chunkTime is how long a client may take for each part of an answer, of at most chunkSize bytes.
const (
	chunkTime = 30 * time.Second
	chunkSize = 32 << 10
)

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// writeAnswer passes the CRM's answer on. It panics with http.ErrAbortHandler when the rest of the body does not come, so that the client sees that it is cut short.
func (e *exchange) writeAnswer(answer *call.Answer) {
	defer func() { _ = answer.Body.Close() }() // it has been read, or nobody wants the rest
	body := e.view.rewrite(e.w.Header(), answer.Header, answer.Body)
	e.view.showRooms(e.w.Header(), answer.Rooms)
	e.w.Header().Set(contract.HeaderOrigin, originOf(answer))
	e.writeStatus(answer.Status)
	if e.r.Method == http.MethodHead {
		return
	}
	piece := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(piece)
	buffer := piece[:]
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			e.extendDeadline()
			if _, err := e.w.Write(buffer[:n]); err != nil {
				return // the client has gone
			}
		}
		switch {
		case err == io.EOF:
			return
		case err != nil:
			e.observe(CutShort)
			panic(http.ErrAbortHandler)
		}
	}
}

func originOf(answer *call.Answer) string {
	if answer.Composed {
		return contract.OriginDispatcher
	}
	return contract.OriginCRM
}

func (e *exchange) writeStatus(status int) {
	e.answered, e.status = true, status
	e.extendDeadline()
	e.w.WriteHeader(status)
}

func (e *exchange) extendDeadline() {
	now := time.Now()
	if now.Sub(e.extended) < time.Second { // it costs more than to look
		return
	}
	e.extended = now
	_ = e.control.SetWriteDeadline(now.Add(chunkTime)) // not supported: in tests only
}

// notPassedOn are headers of answers that end here. A session of the CRM's is the dispatcher's, not the client's. Alt-Svc would have clients go on at an address
// that is not the intake's.
var notPassedOn = []string{"Set-Cookie", "Alt-Svc", contract.HeaderOrigin, contract.HeaderReason}

// ofTheBody are headers that hold for the CRM's body byte for byte.
var ofTheBody = []string{"Content-Length", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"}

// rewrite adds to out the header of an answer, and returns its body, with their links leading to the intake. The body is rewritten as it is read. What was given
// stays as it is.
func (v *view) rewrite(out, header http.Header, body io.Reader) io.Reader {
	maps.Copy(out, header)
	for _, name := range notPassedOn {
		delete(out, name)
	}
	for _, name := range []string{"Location", "Content-Location", "Odata-Entityid"} {
		changeEach(out, name, func(value string) string {
			value, _ = v.links.URL(value)
			return value
		})
	}
	changeEach(out, "Link", v.links.LinkHeader)
	if !call.IsJSON(out.Get("Content-Type")) || out.Get("Content-Encoding") != "" || v.members.None() {
		return body
	}
	for _, name := range ofTheBody {
		delete(out, name)
	}
	return v.links.Body(body, v.members)
}

// changeEach changes the values of a header, whose others may keep theirs.
func changeEach(header http.Header, name string, change func(string) string) {
	if len(header[name]) == 0 {
		return
	}
	values := slices.Clone(header[name])
	for i, value := range values {
		values[i] = change(value)
	}
	header[name] = values
}
