// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/lookup"
)

// keeps is for how long an answer to a GET is kept, by the first entry that matches; 0 if it is not. path is in canonical form.
func (v *view) keeps(i *contract.Integration, operation, path string) time.Duration {
	for _, c := range i.CachedReads {
		if c.Operation != "" && c.Operation == operation || c.Path != "" && call.PathMatches(v.provider.Canonical(c.Path), path) {
			return time.Duration(c.Seconds) * time.Second
		}
	}
	return 0
}

// ofTheSender are headers of requests that tell who asks, and no CRM answers otherwise for them.
var ofTheSender = map[string]bool{
	"User-Agent": true, "Traceparent": true, "Tracestate": true, "Baggage": true, "X-Request-Id": true, "X-Correlation-Id": true, "Cache-Control": true, "Priority": true,
}

// identity is the same for calls that the CRM answers in the same way: of one integration, as one user of the CRM, to one target, with the same headers.
func identity(c *call.Call, user string) [32]byte {
	hash := sha256.New()
	add := func(text string) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(text)))
		hash.Write(size[:])
		hash.Write([]byte(text))
	}
	add(c.Integration)
	add(user)
	add(c.Target)
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		if ofTheSender[name] {
			continue
		}
		add(name)
		for _, value := range c.Header[name] {
			add(value)
		}
		add("")
	}
	return [32]byte(hash.Sum(nil))
}

// read answers a call whose answers are kept: with the one that is, once more with it if the CRM says that it still holds, or with a new one.
func (e *exchange) read(to route, key lookup.Key) error {
	kept, found := e.answers.Get(key)
	if found && time.Since(kept.At) < to.keep {
		e.Calls.Saved(e.call.Integration)
		e.writeKept(kept, e.Calls.Rooms(e.r.Context(), e.call))
		return nil
	}
	if etag := kept.ETag(); etag != "" {
		e.call.Header.Set("If-None-Match", etag)
		if to.share { // whoever asks without it wants the whole answer
			e.call.Identity = identity(e.call, e.user())
		}
	}
	answer, err := e.Calls.Do(e.r.Context(), e.call, to.wait)
	if err != nil {
		return err
	}
	if found && answer.Status == http.StatusNotModified {
		_ = answer.Body.Close() // it is empty
		kept.At = e.started
		e.answers.Put(key, kept)
		e.writeKept(kept, answer.Rooms)
		return nil
	}
	if err := e.keep(key, answer); err != nil {
		return err
	}
	e.writeAnswer(answer)
	e.observe(Forwarded)
	return nil
}

// keep remembers an answer that is short enough. Its body can be read as before.
func (e *exchange) keep(key lookup.Key, answer *call.Answer) error {
	if !lookup.Keepable(answer.Status, answer.Header) {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, lookup.MaxBody+1))
	if err != nil {
		_ = answer.Body.Close() // it broke
		return err
	}
	if len(body) <= lookup.MaxBody {
		e.answers.Put(key, lookup.Answer{Header: answer.Header.Clone(), Body: body, At: e.started})
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), answer.Body), answer.Body}
	return nil
}

// writeKept answers with what is kept. Age says for how long it has been (RFC 9111).
func (e *exchange) writeKept(kept lookup.Answer, rooms []call.Room) {
	header := kept.Header.Clone()
	header.Set("Age", strconv.FormatInt(int64(time.Since(kept.At)/time.Second), 10))
	e.writeAnswer(&call.Answer{Status: http.StatusOK, Header: header, Body: io.NopCloser(bytes.NewReader(kept.Body)), Rooms: rooms})
	e.observe(Kept)
}
