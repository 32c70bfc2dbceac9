// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

const (
	// maxUpload is the longest body that is passed on while it comes in, in bytes: the largest file that a CRM of the catalogue takes (Salesforce, 2 GB).
	maxUpload = 2 << 30
	// maxUploads pass at a time. Each may hold a slot of the licence for as long as its client takes.
	maxUploads = 8
	// slowestUpload is the pace in bytes a second below which an upload is cut off, once bodyTime is over.
	slowestUpload = 1 << 20
)

// upload sends a call whose body is too long to be held: it goes to the CRM while it comes in, once the call fits. Nothing of it is kept, so it cannot be queued, and
// is sent once.
func (e *exchange) upload() error {
	if e.r.ContentLength > maxUpload {
		return &call.Refusal{Code: contract.ReasonBodyTooLarge, Detail: "the body is longer than 2 GiB"}
	}
	if !e.uploads.TryAcquire(1) {
		return &call.Refusal{Code: contract.ReasonOverloaded, RetryAfter: time.Second, Detail: "too many long bodies are on their way"}
	}
	defer e.uploads.Release(1)
	class, err := e.newCall(nil)
	if err != nil {
		return err
	}
	to := e.view.route(e.caller.integration, class, e.r, e.path, e.started)
	if to.queue {
		return &call.Refusal{Code: contract.ReasonBodyTooLarge, Detail: "a call with a body longer than 8 MiB is not queued"}
	}
	e.call.Repeat = call.Repeat{Class: call.RepeatNever}
	body := &uploadBody{body: e.r.Body, control: e.control, most: bodyTime + time.Duration(e.r.ContentLength/slowestUpload)*time.Second}
	e.call.Stream = &call.Stream{Body: body, Length: e.r.ContentLength}
	return e.dispatch(to)
}

// uploadBody gives the client time to send the body from the moment on at which somebody reads it.
type uploadBody struct {
	body    io.Reader
	control *http.ResponseController
	most    time.Duration
	begin   sync.Once
}

// Read implements io.Reader.
func (u *uploadBody) Read(p []byte) (int, error) {
	u.begin.Do(func() { _ = u.control.SetReadDeadline(time.Now().Add(u.most)) }) // not supported: in tests only
	return u.body.Read(p)
}
