// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// bounded is a plan that knows a volume and how far it has come.
func bounded(sequence int64, volume string, reached int64, used map[string]int64, found string) *contract.Plan {
	return plan(sequence, func(p *contract.Plan) {
		p.Ledger = contract.LedgerPast{AfterLoss: contract.LedgerBounded, Volume: volume, Reached: reached}
		if found != "" {
			p.Ledger.Lost = &contract.LedgerLost{Found: found, At: time.Now(), Used: used}
		}
	})
}

// TestAVolumeThatWasPutBack: calls are queued, a snapshot is taken, all of them are sent, and the snapshot is put back. With what the plan knows nothing is sent twice
// that could have a second effect, and what was used since counts.
func TestAVolumeThatWasPutBack(t *testing.T) {
	for name, mounted := range map[string]bool{"found out at the start": true, "told by the manager later": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				first := b.snap()
				b.apply(bounded(2, first.Volume, 0, nil, ""))
				b.apply(plan(3, func(p *contract.Plan) { p.Hold, p.Ledger = true, b.plan.Ledger }))
				once, keyed, safe := b.enqueue(write("/once", call.RepeatNever)), b.enqueue(write("/keyed", call.RepeatKeyed)), b.enqueue(write("/safe", call.RepeatIdempotent))
				head, behind := b.enqueue(ordered("/head", "k", call.RepeatNever)), b.enqueue(ordered("/behind", "k", call.RepeatNever))
				synctest.Wait()
				snapshot := b.fs.CrashClone(vfs.CrashCloneCfg{})

				b.apply(bounded(4, first.Volume, 0, nil, ""))
				time.Sleep(10 * time.Second)
				if got := len(b.crm.targets()); got != 5 {
					t.Fatalf("%d were sent", got)
				}
				reached := b.snap().Position
				known := bounded(5, first.Volume, reached, nil, "")
				b.stop()
				b.fs = snapshot
				if mounted {
					b.past = known.Ledger
				}
				b.start() // it holds, by the stored plan
				b.apply(known)
				time.Sleep(time.Minute)
				s := b.snap()
				if s.Volume == first.Volume || !s.Ledger.Waiting || s.Ledger.Restored == nil {
					t.Fatalf("the ledger is %+v, on volume %s after %s", s.Ledger, s.Volume, first.Volume)
				}
				if got := len(b.crm.targets()); got != 5 {
					t.Fatalf("%d were sent before it is known what had been used", got)
				}
				b.apply(bounded(6, first.Volume, reached, map[string]int64{"minute": 7}, s.Volume))
				synctest.Wait()
				if w := b.snap().Windows[0]; w.Used < 7 {
					t.Errorf("%d are used", w.Used)
				}
				time.Sleep(5 * time.Minute)
				if got := b.crm.targets()[5:]; !slices.Equal(got, []string{"/safe"}) {
					t.Errorf("sent again were %v", got)
				}
				b.states([]call.ID{once, keyed, head, safe, behind}, "parked", "parked", "parked", "succeeded", "queued")
				if r := b.result(once); !strings.Contains(r.Reason, "put back to an earlier state") {
					t.Errorf("it is parked: %s", r.Reason)
				}

				// What a person orders is sent; the one behind it is looked at when it is its turn; what is new is not doubted. All of it outlives a restart.
				if err := b.Resend(t.Context(), "a/x", head); err != nil {
					t.Fatal(err)
				}
				fresh := b.enqueue(write("/fresh", call.RepeatNever))
				b.past = contract.LedgerPast{}
				b.restart(time.Second)
				time.Sleep(time.Minute)
				b.states([]call.ID{head, behind, fresh}, "succeeded", "parked", "succeeded")
				if again := b.snap(); again.Volume != s.Volume || again.Ledger.Restored == nil || again.Ledger.Waiting {
					t.Errorf("after a restart the ledger is %+v on volume %s", again.Ledger, again.Volume)
				}
			})
		})
	}
}

// TestThePositionIsNeverAhead of what power loss leaves, however often: else a volume would be taken for one that was put back.
func TestThePositionIsNeverAhead(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		volume := b.snap().Volume
		last := int64(0)
		for n := range int64(10) {
			b.do(read("/x"), time.Minute)
			b.enqueue(write("/y", call.RepeatNever))
			time.Sleep(17 * time.Second)
			told := b.snap().Position
			if told <= last {
				t.Errorf("position %d after %d", told, last)
			}
			last = told
			b.past = bounded(0, volume, told, nil, "").Ledger
			b.restart(time.Second)
			b.apply(bounded(n+2, volume, told, nil, ""))
			if s := b.snap(); s.Volume != volume || s.Ledger.Restored != nil {
				t.Fatalf("after restart %d the ledger is %+v", n+1, s.Ledger)
			}
		}
	})
}

// TestTheStoredPlanOfAVolumeThatWasPutBackSendsNothing: it is as old as the volume. What the mounted plan says of the ledger is known before anything is sent; without
// that, a call would be.
func TestTheStoredPlanOfAVolumeThatWasPutBackSendsNothing(t *testing.T) {
	for name, knows := range map[string]bool{"known": true, "not known": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.apply(bounded(2, b.snap().Volume, 0, nil, ""))
				b.fill()
				id := b.enqueue(write("/once", call.RepeatNever))
				synctest.Wait()
				snapshot := b.fs.CrashClone(vfs.CrashCloneCfg{})
				time.Sleep(2 * time.Minute)
				if r := b.result(id); r.State != call.StateSucceeded {
					t.Fatalf("it is %s", r.State)
				}
				sent := len(b.crm.targets())
				if s := b.snap(); knows {
					b.past = bounded(3, s.Volume, s.Position, nil, "").Ledger
				}
				b.stop()
				b.fs = snapshot
				b.start()
				time.Sleep(5 * time.Minute)
				if again := len(b.crm.targets()) - sent; (again == 0) != knows {
					t.Errorf("%d calls were sent again", again)
				}
			})
		})
	}
}
