// SPDX-License-Identifier: Apache-2.0

// Package telemetry is how a dispatcher is watched: the report that the manager pulls, metrics, and health.
package telemetry

import (
	"context"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// Scheduler is what telemetry needs of it.
type Scheduler interface {
	// Snapshot returns the state between two turns of the loop.
	Snapshot(ctx context.Context) (scheduler.Snapshot, error)
	// Accepting says why calls cannot be accepted durably, or returns nil. It asks the loop.
	Accepting(ctx context.Context) error
	// Plan in force, nil before the first, and a channel that is closed when it changes.
	Plan() (*contract.Plan, <-chan struct{})
}
