// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"testing"
	"time"

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
