// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// drip is a body of so many parts, each of which takes as long to come.
type drip struct {
	parts int
	each  time.Duration
}

func (d *drip) Read(p []byte) (int, error) {
	if d.parts == 0 {
		return 0, io.EOF
	}
	time.Sleep(d.each)
	d.parts--
	p[0] = 'x'
	return 1, nil
}

func streamed(parts int, each time.Duration) *call.Call {
	return &call.Call{Method: http.MethodPost, Target: "/api/v2/uploads", Stream: &call.Stream{Body: &drip{parts, each}, Length: int64(parts)}}
}

func TestAStreamedBodyMayTakeLongerThanAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crm{serve: answering(ok("{}"))}
		began := time.Now()
		o := newClient(t, server.dial).Send(t.Context(), Issue(), bearer, streamed(10, 50*time.Second))
		if o.Err != nil || o.Ended.Sub(began) != 500*time.Second {
			t.Fatalf("it ended after %s: %v", o.Ended.Sub(began), o.Err)
		}
		if got := server.last.Load(); got.ContentLength != 10 || server.arrivals.Load() != 1 {
			t.Errorf("%d arrivals, of %d bytes", server.arrivals.Load(), got.ContentLength)
		}
	})
}

func TestAStreamedBodyThatDoesNotComeEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crm{serve: answering(ok("{}"))}
		began := time.Now()
		o := newClient(t, server.dial).Send(t.Context(), Issue(), bearer, streamed(10, ResponseTimeout+time.Second))
		if o.Err == nil || !o.Sent || server.arrivals.Load() != 0 || o.Ended.Sub(began) > 2*ResponseTimeout {
			t.Errorf("after %s: error %v, sent %v, %d arrivals", o.Ended.Sub(began), o.Err, o.Sent, server.arrivals.Load())
		}
	})
}
