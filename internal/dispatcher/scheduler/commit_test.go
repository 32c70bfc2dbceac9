// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// slowStore takes its time for batches with intents.
type slowStore struct {
	backlog.Store
	takes *time.Duration
}

// Commit implements backlog.Store.
func (s slowStore) Commit(b *backlog.Batch) ([]backlog.Ready, error) {
	if slices.ContainsFunc(b.Charges, func(c backlog.Charge) bool { return c.Open }) {
		time.Sleep(*s.takes)
	}
	return s.Store.Commit(b)
}

// TestTheLoopGoesOnWhileTheStoreWrites: calls leave when their intents are durable, those that came meanwhile after the next batch, and answers do not wait for
// either.
func TestTheLoopGoesOnWhileTheStoreWrites(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		const syncs, answers = 100 * time.Millisecond, 50 * time.Millisecond
		before := b.snap().Position
		b.syncs = syncs
		b.crm.script = []answer{{status: http.StatusOK, after: answers}, {status: http.StatusOK, after: answers}, {status: http.StatusOK, after: answers}}
		began := time.Now()
		var came, answered [3]time.Duration
		for i := range came {
			came[i] = time.Duration(i) * 60 * time.Millisecond // each while the one before it is written
			go func() {
				time.Sleep(came[i])
				b.do(read("/x"), 0)
				answered[i] = time.Since(began)
			}()
		}
		time.Sleep(2*syncs + 60*time.Millisecond) // the third one is being written
		if s, err := b.Snapshot(context.Background()); err != nil || s.Position != before+2 {
			t.Errorf("position %d (%v) after %d is told, and two batches are durable", s.Position, err, before)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		var sent [3]time.Duration
		for i, at := range b.crm.at {
			sent[i] = at.Sub(began)
		}
		if diff := cmp.Diff([3]time.Duration{syncs, 2 * syncs, 3 * syncs}, sent); diff != "" {
			t.Errorf("sent: %s", diff)
		}
		if diff := cmp.Diff([3]time.Duration{sent[0] + answers, sent[1] + answers, sent[2] + answers}, answered); diff != "" {
			t.Errorf("answered: %s", diff)
		}
	})
}
