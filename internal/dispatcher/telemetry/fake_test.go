// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
)

// fake is a scheduler that shows what a test tells it to.
type fake struct {
	mu        sync.Mutex
	snapshot  scheduler.Snapshot
	err       error
	accepting func(context.Context) error
	changed   chan struct{}
}

func newFake(plan *contract.Plan) *fake {
	return &fake{snapshot: scheduler.Snapshot{Plan: plan}, changed: make(chan struct{})}
}

func (f *fake) Snapshot(context.Context) (scheduler.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshot, f.err
}

func (f *fake) Accepting(ctx context.Context) error { return f.accepting(ctx) }

func (f *fake) Plan() (*contract.Plan, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshot.Plan, f.changed
}

// apply puts another plan in force.
func (f *fake) apply(plan *contract.Plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.snapshot.Plan = plan
	close(f.changed)
	f.changed = make(chan struct{})
}

func planWith(sequence int64, endpoint string) *contract.Plan {
	return &contract.Plan{
		Schema: contract.PlanSchema, Sequence: sequence, Endpoint: endpoint,
		CRM: contract.CRMIdentity{UID: "u", Generation: 4}, Credentials: contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}},
	}
}

// facts are those of a dispatcher with nothing special.
func facts(f *fake) Facts {
	return Facts{
		Scheduler:   f,
		Ready:       func(context.Context) error { return nil },
		Rejected:    func() *contract.RejectedPlan { return nil },
		Certificate: func(time.Time) contract.CertificateReport { return contract.CertificateReport{CAPEM: "pem"} },
		Credentials: func(to upstream.Destination) contract.CredentialsReport {
			return contract.CredentialsReport{Resolved: to.Credentials.Bearer != nil && to.Endpoint != ""}
		},
		Encryption: func() error { return nil },
		Endpoint:   func() contract.EndpointReport { return contract.EndpointReport{Resolved: true} },
	}
}
