// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
)

// unordered is a dispatcher that ignores ordering keys.
type unordered struct{ *scheduler.Scheduler }

// Enqueue implements intake.Calls.
func (u unordered) Enqueue(ctx context.Context, c *call.Call, dedupeKey string, fingerprint [32]byte) (call.Result, bool, error) {
	c.OrderKey = ""
	return u.Scheduler.Enqueue(ctx, c, dedupeKey, fingerprint)
}

// unscoped is a dispatcher that hands the clients' idempotency keys on as they are.
type unscoped struct{ *scheduler.Scheduler }

// Enqueue implements intake.Calls.
func (u unscoped) Enqueue(ctx context.Context, c *call.Call, dedupeKey string, fingerprint [32]byte) (call.Result, bool, error) {
	if c.Repeat.Class == call.RepeatKeyed {
		c.Header.Set("Idempotency-Key", dedupeKey)
	}
	return u.Scheduler.Enqueue(ctx, c, dedupeKey, fingerprint)
}

// resending is a way to the CRM that sends a request again whose connection broke, as Go's transport would.
type resending struct{ scheduler.Sender }

// Send implements scheduler.Sender.
func (r resending) Send(ctx context.Context, charge *upstream.Charge, to upstream.Destination, what *call.Call) upstream.Outcome {
	o := r.Sender.Send(ctx, charge, to, what)
	if o.Sent && o.Answer == nil && ctx.Err() == nil {
		return r.Sender.Send(ctx, upstream.Issue(), to, what)
	}
	return o
}

// lateStore says that intents are durable before they are.
type lateStore struct {
	backlog.Store
	// late has room while nothing is late.
	late chan struct{}
}

func (s *lateStore) wait() {
	s.late <- struct{}{}
	<-s.late
}

// Commit implements backlog.Store.
func (s *lateStore) Commit(b *backlog.Batch) ([]backlog.Ready, error) {
	s.wait()
	sends := false
	for _, c := range b.Charges {
		sends = sends || c.Open
	}
	for _, t := range b.Transitions {
		if t.To != call.StateSent {
			return s.Store.Commit(b)
		}
	}
	if !sends {
		return s.Store.Commit(b)
	}
	s.late <- struct{}{}
	go func() {
		time.Sleep(2 * time.Second)
		_, _ = s.Store.Commit(b) // the machine may be dead by now
		<-s.late
	}()
	return nil, nil
}

// Heads implements backlog.Store.
func (s *lateStore) Heads(integration string, kind backlog.Kind, after call.ID, n int) ([]backlog.Head, error) {
	s.wait()
	return s.Store.Heads(integration, kind, after, n)
}

// Close implements backlog.Store.
func (s *lateStore) Close() error {
	s.wait()
	return s.Store.Close()
}
