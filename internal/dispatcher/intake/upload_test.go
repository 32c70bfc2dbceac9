// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// upload is a request of ccai's whose body nobody has in memory.
func upload(method, target string, length int64) *http.Request {
	r := httptest.NewRequest(method, target, io.LimitReader(endless{}, length))
	r.ContentLength = length
	r.Header.Set("Authorization", "Bearer "+ccaiKey)
	return r
}

// endless is a body of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestLongBodyIsPassedOnAsItComes(t *testing.T) {
	const length = maxBody + 1
	f := &fake{plan: newPlan()}
	f.do = func(_ context.Context, c *call.Call, wait time.Duration) (*call.Answer, error) {
		if c.Stream == nil || c.Stream.Length != length || len(c.Body) > 0 || wait != 8*time.Second {
			t.Fatalf("the call has a stream %+v, %d bytes of body, and waits for %s", c.Stream, len(c.Body), wait)
		}
		if c.Repeat.Class != call.RepeatNever {
			t.Error("a body that cannot be had twice could be sent twice")
		}
		if n, err := io.Copy(io.Discard, c.Stream.Body); n != length || err != nil {
			t.Errorf("%d bytes came, %v", n, err)
		}
		return answer(http.StatusCreated, `{}`), nil
	}
	if got := handle(f, upload("PUT", "/api/v2/uploads/1", length)); got.StatusCode != http.StatusCreated {
		t.Error(got.Status)
	}
}

func TestLongBodiesThatAreRefused(t *testing.T) {
	queued := upload("POST", "/api/v2/tickets.json", maxBody+1)
	preferred := upload("POST", "/api/v2/uploads", maxBody+1)
	preferred.Header.Set("Prefer", "respond-async")
	for name, r := range map[string]*http.Request{
		"of an operation that is queued":      queued,
		"of a client that wants it queued":    preferred,
		"longer than what any CRM would take": upload("POST", "/api/v2/uploads", maxUpload+1),
	} {
		f := &fake{plan: newPlan()}
		got := handle(f, r)
		if got.StatusCode != http.StatusRequestEntityTooLarge || len(f.calls)+len(f.queued) > 0 {
			t.Errorf("%s: %s, %d calls", name, got.Status, len(f.calls)+len(f.queued))
		}
	}
}

func TestLongBodiesPassAFewAtATime(t *testing.T) {
	f := &fake{plan: newPlan()}
	in := newIntake(f)
	status := func() int {
		recorder := httptest.NewRecorder()
		in.ServeHTTP(recorder, upload("PUT", "/api/v2/uploads/1", maxBody+1))
		return recorder.Code
	}
	f.do = func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
		if len(f.calls) < maxUploads { // while this one is on its way
			if got := status(); got != http.StatusOK {
				t.Errorf("upload %d: %d", len(f.calls), got)
			}
		} else if got := status(); got != http.StatusServiceUnavailable {
			t.Errorf("one too many: %d", got)
		}
		return answer(http.StatusOK, `{}`), nil
	}
	if got := status(); got != http.StatusOK {
		t.Errorf("the first one: %d", got)
	}
	if len(f.calls) != maxUploads {
		t.Errorf("%d calls were sent, want %d", len(f.calls), maxUploads)
	}
}
