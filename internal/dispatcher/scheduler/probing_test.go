// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestProbesThatWouldBeParkedAreFew: an outage of two hours must not leave a person with a hundred calls to look after, for each of which it is not known whether
// the CRM took it. When it is over, calls are sent within minutes.
func TestProbesThatWouldBeParkedAreFew(t *testing.T) {
	const outage, most = 2 * time.Hour, 30 // five at first, and then one each five minutes and a pause
	inBubble(t, func(t *testing.T, b *bench) {
		began := time.Now()
		b.crm.reply = func(*call.Call) answer {
			if time.Since(began) < outage {
				return answer{status: 503}
			}
			return answer{status: 201}
		}
		for n := range 300 {
			b.enqueue(write(fmt.Sprintf("/%d", n), call.RepeatNever))
		}
		time.Sleep(outage)
		parked := b.snap().Backlog.Parked
		if parked > most {
			t.Errorf("%d calls are parked after the outage, want at most %d", parked, most)
		}
		if why := b.snap().Integrations[0].Waiting; why == nil || why.Cause != "Outage" {
			t.Errorf("calls are said to wait because of %+v", why)
		}
		time.Sleep(6 * time.Minute)
		if snap := b.snap(); snap.Backlog.Parked > parked+1 || snap.Integrations[0].Counters.Drained == 0 {
			t.Errorf("six minutes after the outage: %+v, drained %d", snap.Backlog, snap.Integrations[0].Counters.Drained)
		}
	})
}

// TestHarmlessCallsProbe: as long as a call waits that can be sent again, no other probes an outage; and the answer to somebody who waits ends it for all.
func TestHarmlessCallsProbe(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.reply = func(c *call.Call) answer {
			if c.Method == "GET" {
				return answer{status: 200}
			}
			return answer{status: 503}
		}
		b.enqueue(write("/keyed", call.RepeatKeyed))
		time.Sleep(time.Minute)
		b.enqueue(write("/second", call.RepeatNever))
		time.Sleep(20 * time.Minute)
		if sent := b.crm.targets(); slices.Contains(sent, "/second") || len(sent) < 10 {
			t.Errorf("sent were %v, want /keyed again and again", sent)
		}
		b.do(read("/waits"), 0)
		time.Sleep(time.Millisecond)
		if sent := b.crm.targets(); !slices.Contains(sent, "/second") {
			t.Error("the CRM has answered a call, and the others are held back still")
		}
	})
}

// TestCallsThatWereNotSentProbe: where nothing leaves, nothing has to be parked, and any call probes.
func TestCallsThatWereNotSentProbe(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.reply = func(*call.Call) answer { return answer{down: true} }
		b.enqueue(write("/first", call.RepeatNever))
		time.Sleep(20 * time.Minute)
		if sent := b.crm.targets(); len(sent) < 10 {
			t.Errorf("it was tried %d times in 20 minutes", len(sent))
		}
		if parked := b.snap().Backlog.Parked; parked > 0 {
			t.Errorf("%d are parked", parked)
		}
	})
}
