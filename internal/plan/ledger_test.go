// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// reported is a report of a volume by a dispatcher that has got as far as a sequence.
func reported(volume string, sequence int64, waiting bool) *contract.Report {
	return &contract.Report{Volume: volume, Sequence: sequence, Ledger: contract.LedgerReport{Waiting: waiting}}
}

// at is a report of the old volume that has come as far as a position.
func at(position int64) *contract.Report {
	r := reported("old", 5, false)
	r.Position = position
	return r
}

func TestWhatThePlanSaysOfTheLedger(t *testing.T) {
	const bounded = contract.LedgerBounded
	created := now.Add(-time.Hour)
	heardAt := now.Add(-20 * time.Second)
	former := &contract.Report{Volume: "old", Windows: []contract.WindowReport{{Name: "minute", Used: 123}, {Name: "day", Used: 2000}}}
	lost := &contract.LedgerLost{Found: "new", At: heardAt, Used: map[string]int64{"minute": 123, "day": 2000}}
	known := contract.LedgerPast{AfterLoss: bounded, Volume: "old"}
	told := contract.LedgerPast{AfterLoss: bounded, Volume: "old", Lost: lost}
	published := []v1alpha1.WindowStatus{
		{Name: "minute", Limit: new(int64(400)), Used: new(int64(120))}, {Name: "execution", Limit: new(int64(1210)), Used: new(int64(600))}, {Name: "day"},
	}
	reached := func(position int64, when time.Time) contract.LedgerPast {
		return contract.LedgerPast{AfterLoss: bounded, Volume: "old", Reached: position, ReachedAt: when}
	}
	for name, row := range map[string]struct {
		previous contract.LedgerPast
		ledger   plan.Ledger
		status   []v1alpha1.WindowStatus
		want     contract.LedgerPast
	}{
		"nothing is known before the first report":    {contract.LedgerPast{}, plan.Ledger{}, nil, contract.LedgerPast{AfterLoss: bounded}},
		"the first volume is that of the CRM":         {contract.LedgerPast{}, plan.Ledger{Report: reported("new", 0, false)}, nil, contract.LedgerPast{AfterLoss: bounded, Volume: "new"}},
		"without a report it stays":                   {known, plan.Ledger{}, nil, known},
		"a report without a volume changes nothing":   {known, plan.Ledger{Report: reported("", 4, false)}, nil, known},
		"a report of the same volume changes nothing": {known, plan.Ledger{Report: reported("old", 4, false), Former: former, FormerAt: heardAt}, nil, known},
		"another volume waits for what was heard of the old one": {
			known, plan.Ledger{Report: reported("new", 5, true), Former: former, FormerAt: heardAt.Add(123 * time.Millisecond)}, published, told,
		},
		"so does one whose dispatcher has no plan yet": {
			known, plan.Ledger{Report: reported("new", 0, false), Former: former, FormerAt: heardAt}, nil, told,
		},
		"what was heard of a third volume is of no use": {
			known, plan.Ledger{Report: reported("new", 5, true), Former: &contract.Report{Volume: "older", Windows: former.Windows}, FormerAt: heardAt, PublishedAt: heardAt}, published,
			contract.LedgerPast{AfterLoss: bounded, Volume: "old", Lost: &contract.LedgerLost{
				Found: "new", At: heardAt, Used: map[string]int64{"minute": 140, "execution": 661_000},
			}},
		},
		"a manager that was just started takes the status and a step of its rounding": {
			known, plan.Ledger{Report: reported("new", 5, true), PublishedAt: heardAt}, published,
			contract.LedgerPast{AfterLoss: bounded, Volume: "old", Lost: &contract.LedgerLost{
				Found: "new", At: heardAt, Used: map[string]int64{"minute": 140, "execution": 661_000},
			}},
		},
		"without a status nothing had been used when the CRM was declared": {
			known, plan.Ledger{Report: reported("new", 5, true)}, nil,
			contract.LedgerPast{AfterLoss: bounded, Volume: "old", Lost: &contract.LedgerLost{Found: "new", At: created}},
		},
		"while it waits, it is told the same": {
			told, plan.Ledger{Report: reported("new", 5, true), PublishedAt: now}, published, told,
		},
		"once it goes on its volume counts": {
			told, plan.Ledger{Report: reported("new", 5, false)}, nil, contract.LedgerPast{AfterLoss: bounded, Volume: "new"},
		},
		"not before it has got the plan": {
			told, plan.Ledger{Report: reported("new", 4, false)}, nil, told,
		},
		"one that does not wait for figures counts as soon as it has the plan": {
			known, plan.Ledger{Report: reported("new", 5, false)}, nil, contract.LedgerPast{AfterLoss: bounded, Volume: "new"},
		},
		"a third volume in place of one that did not come into use is told the same": {
			told, plan.Ledger{Report: reported("third", 5, true), Former: reported("new", 5, true), FormerAt: now}, published,
			contract.LedgerPast{AfterLoss: bounded, Volume: "old", Lost: &contract.LedgerLost{Found: "third", At: lost.At, Used: lost.Used}},
		},
		"how far the volume has come is written once": {
			known, plan.Ledger{Report: at(7)}, nil, reached(7, now),
		},
		"not with every report": {
			reached(7, now.Add(-time.Hour+time.Second)), plan.Ledger{Report: at(9)}, nil, reached(7, now.Add(-time.Hour+time.Second)),
		},
		"but every hour": {
			reached(7, now.Add(-time.Hour)), plan.Ledger{Report: at(9)}, nil, reached(9, now),
		},
		"unless it has stayed where it was": {
			reached(7, now.Add(-2*time.Hour)), plan.Ledger{Report: at(7)}, nil, reached(7, now.Add(-2*time.Hour)),
		},
		"a volume that was put back is told at once how far it had come": {
			reached(7, now.Add(-time.Minute)), plan.Ledger{Report: at(8), Former: at(12), FormerAt: heardAt}, nil, reached(12, now),
		},
		"under its new identity it is told what had been used": {
			reached(12, now), plan.Ledger{Report: reported("new", 5, true), Former: former, FormerAt: heardAt}, nil,
			contract.LedgerPast{AfterLoss: bounded, Volume: "old", Reached: 12, ReachedAt: now, Lost: lost},
		},
		"and once it goes on it begins anew": {
			contract.LedgerPast{AfterLoss: bounded, Volume: "old", Reached: 12, ReachedAt: now, Lost: lost}, plan.Ledger{Report: reported("new", 5, false)}, nil,
			contract.LedgerPast{AfterLoss: bounded, Volume: "new"},
		},
		"the old volume that is back counts": {told, plan.Ledger{Report: reported("old", 0, false)}, nil, known},
	} {
		t.Run(name, func(t *testing.T) {
			c := crm(func(c *v1alpha1.CRM) { c.Status.Windows = row.status })
			c.Spec.Licence.Limits = append(c.Spec.Licence.Limits, v1alpha1.Limit{Name: "execution", ExecutionSeconds: 1210, WindowSeconds: 300})
			previous := compile(c, nil).Plan
			previous.Sequence, previous.Ledger = 5, row.previous
			in := plan.Input{CRM: c, Previous: throughJSON(t, previous), Ledger: row.ledger, Now: now}
			first := plan.Compile(in).Plan
			if diff := cmp.Diff(row.want, first.Ledger); diff != "" {
				t.Errorf("ledger (-want +got):\n%s", diff)
			}
			in.Previous = throughJSON(t, first)
			if second := plan.Compile(in).Plan; second.Sequence != first.Sequence {
				t.Errorf("compiling again with the same report changes the plan:\n%s", cmp.Diff(first, second))
			}
		})
	}
}

func TestTheVolumeOfAnotherLicenceIsNotTheLedgers(t *testing.T) {
	previous := compile(crm(func(c *v1alpha1.CRM) { c.UID, c.Spec.Endpoint = "before", "https://other.zendesk.com" }), nil).Plan
	previous.Ledger.Volume = "theirs"
	out := plan.Compile(plan.Input{CRM: crm(), Previous: previous, Ledger: plan.Ledger{Report: reported("ours", 0, false)}, Now: now})
	if got := out.Plan.Ledger; got.Volume != "ours" || got.Lost != nil {
		t.Errorf("ledger %+v, want that of the reported volume", got)
	}
}

func TestALossIsToldWhileTheCRMsEditIsRefused(t *testing.T) {
	previous := compile(crm(), nil).Plan
	previous.Ledger.Volume = "old"
	out := plan.Compile(plan.Input{CRM: crm(unknownZone), Previous: previous, Ledger: plan.Ledger{Report: reported("new", 1, true)}, Now: now})
	if got := out.Plan.Ledger.Lost; got == nil || got.Found != "new" {
		t.Errorf("lost %+v, want what is known for the volume that was found", got)
	}
}
