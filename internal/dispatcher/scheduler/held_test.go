// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// heldCalls notes what it is told of single calls.
type heldCalls struct{ held chan heldCall }

type heldCall struct {
	target string
	waited time.Duration
	by     Held
}

func (heldCalls) Decided(string, time.Duration) {}

func (heldCalls) Erased(string, int) {}

func (heldCalls) Exchanged(string, string, time.Duration, int) {}

func (h heldCalls) Held(what *call.Call, waited time.Duration, by Held) {
	h.held <- heldCall{what.Target, waited, by}
}

// TestTracesSayWhatHeldACall: of calls that are traced, the limit that was the binding one.
func TestTracesSayWhatHeldACall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		told := heldCalls{make(chan heldCall, 100)}
		if err := b.submit(t.Context(), func() { b.options.Observer = told }); err != nil {
			t.Fatal(err)
		}
		traced := read("/traced")
		traced.Header = http.Header{"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
		b.fill()
		for len(told.held) > 0 {
			<-told.held
		}
		b.do(traced, 2*time.Minute)
		b.do(read("/untraced"), time.Minute)
		want := []heldCall{{"/traced", hold, Held{contract.CauseUsedUp, "minute"}}, {target: "/untraced"}}
		if diff := cmp.Diff(want, []heldCall{<-told.held, <-told.held}, cmp.AllowUnexported(heldCall{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
