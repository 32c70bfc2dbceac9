// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func TestReportedSequence(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	tests := map[string]struct {
		previous *contract.Plan
		report   *contract.Report
		want     int64
	}{
		"nothing known: a plan must start above what a kept volume may have seen": {want: now.Unix()},
		"the plan is gone, the dispatcher is ahead of the clock":                  {report: &contract.Report{Sequence: now.Unix() + 5}, want: now.Unix() + 5},
		"a plan is there: only the dispatcher's word counts":                      {previous: &contract.Plan{Sequence: 9}, report: &contract.Report{Sequence: 12}, want: 12},
		"a plan is there and no word":                                             {previous: &contract.Plan{Sequence: 9}, want: 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := &facts{previous: test.previous}
			f.observation.Report = test.report
			if got := f.reportedSequence(now); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestLastWrite(t *testing.T) {
	at := func(second int64) *metav1.Time { return new(metav1.Unix(second, 0)) }
	fields := []metav1.ManagedFieldsEntry{
		{Manager: "kubectl", Time: at(1)}, {Manager: FieldOwner, Time: at(2)}, {Manager: "kubectl", Subresource: "status", Time: at(3)},
		{Manager: FieldOwner, Subresource: "status", Time: at(4)},
	}
	for subresource, want := range map[string]time.Time{"": at(2).Time, "status": at(4).Time, "scale": {}} {
		if got := lastWrite(fields, subresource); !got.Equal(want) {
			t.Errorf("subresource %q: %s, want %s", subresource, got, want)
		}
	}
}
