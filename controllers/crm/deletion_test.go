// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

func TestDrainResult(t *testing.T) {
	deleted := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		edit  func(*facts)
		after time.Duration
		want  string
	}{
		"goes on while calls are queued":              {edit: func(f *facts) { f.observation.Report.Backlog.Queued = 1 }},
		"goes on while a call is on its way":          {edit: func(f *facts) { f.observation.Report.Backlog.Sent = 1 }},
		"goes on until the drain itself is in force":  {edit: func(f *facts) { f.observation.Report.Sequence = 6 }},
		"goes on until the drain itself is written":   {edit: func(f *facts) { f.previous.Drain = false }},
		"goes on before the first report":             {edit: func(f *facts) { f.observation.Report = nil }},
		"ends when nothing waits":                     {edit: func(*facts) {}, want: reasonDrained},
		"ends though calls are parked: they are kept": {edit: func(f *facts) { f.observation.Report.Backlog.Parked = 3 }, want: reasonDrained},
		"ends at the timeout": {
			edit: func(f *facts) { f.observation.Report.Backlog.Queued = 1 }, after: 10 * time.Minute, want: reasonDrainTimedOut,
		},
		"ends when the policy was changed meanwhile": {
			edit: func(f *facts) { f.crm.Spec.Deletion.Policy = v1alpha1.DeletionPolicyRetain }, want: reasonNothingToDrain,
		},
		"ends when there is no dispatcher": {edit: func(f *facts) { f.children.set.UID = "" }, want: reasonNothingToDrain},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			crm := &v1alpha1.CRM{ObjectMeta: metav1.ObjectMeta{Name: "zendesk", DeletionTimestamp: new(metav1.NewTime(deleted))}}
			crm.Spec.Deletion = v1alpha1.Deletion{Policy: v1alpha1.DeletionPolicyDrain, DrainTimeoutSeconds: 600}
			f := &facts{crm: crm, previous: &contract.Plan{Sequence: 7, Drain: true}}
			f.children.set.UID = "set"
			f.observation.Report = &contract.Report{Sequence: 7}
			test.edit(f)
			got := ""
			if end := drainResult(f, plan.Output{Plan: &contract.Plan{Sequence: 7, Drain: true}}, deleted.Add(test.after)); end != nil {
				got = end.reason
			}
			if got != test.want {
				t.Errorf("ends with %q, want %q", got, test.want)
			}
		})
	}
}
