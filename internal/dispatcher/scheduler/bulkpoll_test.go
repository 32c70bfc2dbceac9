// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/zendesk"
)

// strict is a Zendesk whose bulk calls are unconfirmed, and whose jobs are asked about one by one.
type strict struct{ zendesk.Zendesk }

// Batch implements Provider.
func (s strict) Batch(operation string) (dialect.Batch, bool) {
	batch, can := s.Zendesk.Batch(operation)
	if !can {
		return nil, false
	}
	return lone{batch.(dialect.JobBatch)}, true //nolint:forcetypeassert // Zendesk's are
}

type lone struct{ dialect.JobBatch }

// Polled implements dialect.JobBatch.
func (lone) Polled() int { return 1 }

// Unconfirmed implements dialect.UnconfirmedBatch.
func (lone) Unconfirmed() {}

// creationsOnStrict has n creations go, once they are all known, under a plan that merges those operations.
func creationsOnStrict(t *testing.T, d *desk, n int, operations ...string) (targets []string) {
	t.Helper()
	onDesk(t, d, func(_ *testing.T, b *bench) {
		b.stop()
		b.dialect = strict{}
		b.fresh()
		named := func(p *contract.Plan) { p.Integrations[0].Batching.Operations = operations }
		b.apply(merging100(5, held, named))
		var ids []call.ID
		for i := range n {
			ids = append(ids, b.enqueue(create(fmt.Sprintf("s%d", i))))
		}
		synctest.Wait()
		b.apply(merging100(6, named))
		time.Sleep(10 * time.Minute)
		b.wantOwnTickets(d, ids)
		targets = b.crm.targets()
	})
	return targets
}

func TestUnconfirmedBulkCallsAreNamedByTheManifest(t *testing.T) {
	d := &desk{takes: 5 * time.Second}
	if targets := creationsOnStrict(t, d, 30); d.bulks != 0 || len(targets) != 30 {
		t.Errorf("30 creations took %d calls, %d of them bulk calls", len(targets), d.bulks)
	}
	d = &desk{takes: 5 * time.Second}
	if targets := creationsOnStrict(t, d, 30, "CreateTicket"); d.bulks != 1 || len(targets) > 5 {
		t.Errorf("where the manifest names them, it took %d calls, %d of them bulk calls", len(targets), d.bulks)
	}
}

// TestJobsAreAskedAboutInTurn where a poll asks about one: none waits until another has ended.
func TestJobsAreAskedAboutInTurn(t *testing.T) {
	d := &desk{takes: time.Minute}
	asked := map[string]bool{}
	polls := 0
	for _, target := range creationsOnStrict(t, d, 300, "CreateTicket") {
		_, names, is := strings.Cut(target, "show_many.json?ids=")
		if !is {
			continue
		}
		if strings.Contains(names, "%2C") {
			t.Errorf("one poll asks about %s", names)
		}
		if polls++; polls <= 3 {
			asked[names] = true
		}
	}
	if len(asked) != 3 || polls > 30 {
		t.Errorf("the first three of %d polls asked about %v", polls, asked)
	}
}
