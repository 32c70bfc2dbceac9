// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// ledger waits until the plan speaks of a volume and of the loss of it to another, "" for none, with so much of the minute used.
func (w *world) ledger(volume, found string, used int64) contract.LedgerPast {
	w.t.Helper()
	var past contract.LedgerPast
	w.eventually(fmt.Sprintf("the plan speaks of volume %q, lost to %q", volume, found), func() error {
		past = w.plan().Ledger
		lost := contract.LedgerLost{}
		if past.Lost != nil {
			lost = *past.Lost
		}
		if past.Volume != volume || lost.Found != found || lost.Used["minute"] != used {
			return fmt.Errorf("it says %+v, lost %+v", past, lost)
		}
		return nil
	})
	return past
}

// TestALostVolume: a dispatcher that finds an empty volume is told, by one plan, what had been used; once it goes on, its volume counts.
func TestALostVolume(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	fake := w.kubelet()
	w.ready(crm)
	volume := func(name string, waiting bool) {
		fake.Edit(func(r *contract.Report) { r.Volume, r.Ledger = name, contract.LedgerReport{Waiting: waiting} })
	}
	use := func(used int64) {
		want := w.plan().Sequence
		w.eventually("the plan is enforced and its use published", func() error {
			fake.Edit(func(r *contract.Report) {
				if r.Sequence == want {
					r.Windows[0].Used = used
					r.Ledger.Assumed = new(time.Now()) // a condition that changes takes the figures along at once
				}
			})
			if err := w.get(crmName, crm); err != nil {
				return err
			}
			if got := crm.Status.Windows; len(got) != 1 || *got[0].Used != used {
				return fmt.Errorf("the status says %+v", got)
			}
			return nil
		})
	}
	volume("first", false)
	w.ledger("first", "", 0)
	use(100)

	before := w.plan().Sequence
	volume("second", true)
	past := w.ledger("first", "second", 100)
	if past.AfterLoss != contract.LedgerBounded || time.Since(past.Lost.At) > time.Minute || w.plan().Sequence != before+1 {
		t.Errorf("after %d plans it says %+v; want one, Bounded, by a report of this minute", w.plan().Sequence-before, past)
	}
	w.condition(crm, v1alpha1.ConditionLedgerTrusted, metav1.ConditionFalse, v1alpha1.ReasonLedgerLost)
	if got := *crm.Status.Windows[0].Used; got != 100 {
		t.Errorf("the status says that %d are used while the dispatcher waits, want still 100", got)
	}

	volume("second", false)
	w.ledger("second", "", 0)
	if got := w.plan().Sequence; got != before+2 {
		t.Errorf("%d plans were written, want 2", got-before)
	}
	w.condition(crm, v1alpha1.ConditionLedgerTrusted, metav1.ConditionTrue, v1alpha1.ReasonTrusted)

	use(200)
	w.restartManager(func() { volume("third", true) })
	past = w.ledger("second", "third", 220) // a manager that did not hear it itself takes the status, and a step of its rounding
	if age := time.Since(past.Lost.At); age < 0 || age > 5*time.Minute {
		t.Errorf("the figures are of %s, want the time of the last status", past.Lost.At)
	}
}
