// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// Health answers the kubelet's questions.
type Health struct {
	// Scheduler and Ready are required.
	Scheduler Scheduler
	Ready     func(context.Context) error
	stopping  atomic.Bool
}

// Stop has the dispatcher be not ready from now on, so that no new connections come.
func (h *Health) Stop() { h.stopping.Store(true) }

// Handler serves /healthz (the loop runs), /readyz (calls can be accepted durably and a plan is in force) and, from metrics, /metrics.
func (h *Health) Handler(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", check(h.alive))
	mux.HandleFunc("GET /readyz", check(h.ready))
	mux.Handle("GET /metrics", metrics)
	return mux
}

func check(problem func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), loopTime)
		defer cancel()
		if err := problem(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n") // the kubelet may have gone
	}
}

// alive only asks whether the loop answers: what it answers is a matter of readiness, which no restart mends.
func (h *Health) alive(ctx context.Context) error {
	err := h.Scheduler.Accepting(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the scheduler's loop is stuck")
	}
	return nil
}

func (h *Health) ready(ctx context.Context) error {
	if h.stopping.Load() {
		return errors.New("stopping")
	}
	err := h.Ready(ctx)
	if errors.Is(err, backlog.ErrStoreFull) {
		return nil // calls that somebody waits for need no room; the report says it
	}
	return err
}
