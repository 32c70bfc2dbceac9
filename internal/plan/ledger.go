// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Ledger is what the manager knows of the record of what was sent, which lies on the dispatcher's volume.
type Ledger struct {
	// Report is the latest of the dispatcher, nil if none came.
	Report *contract.Report
	// Former is the last report of another volume than that of Report, or of the same one when it had come further, and FormerAt when it came; nil if this process
	// never heard one.
	Former   *contract.Report
	FormerAt time.Time
	// PublishedAt is when the status of the CRM was last written; zero if that is not known.
	PublishedAt time.Time
}

// ledgerPast tells the dispatcher what was on the volume that was reported last. A dispatcher that finds itself on another one waits until the plan says what
// had been used (Lost); once it goes on, its volume is the one that counts.
func ledgerPast(in Input, head *contract.Plan) contract.LedgerPast {
	past := contract.LedgerPast{AfterLoss: head.Ledger.AfterLoss}
	var sequence int64
	if p := in.Previous; p != nil && previousLicence(p) == previousLicence(head) {
		past.Volume, past.Lost = p.Ledger.Volume, p.Ledger.Lost
		past.Reached, past.ReachedAt = p.Ledger.Reached, p.Ledger.ReachedAt
		sequence = p.Sequence
	}
	report := in.Ledger.Report
	switch {
	case report == nil || report.Volume == "":
		return past
	case past.Volume == "" || past.Volume == report.Volume, report.Sequence >= sequence && !report.Ledger.Waiting:
		if past.Volume != report.Volume {
			past.Reached, past.ReachedAt = 0, time.Time{}
		}
		past.Volume, past.Lost = report.Volume, nil
		reach(&past, in)
	case past.Lost == nil:
		past.Lost = lastUse(in, past.Volume)
		past.Lost.Found = report.Volume
	case past.Lost.Found != report.Volume:
		past.Lost = new(*past.Lost) // the volume found before did not come into use
		past.Lost.Found = report.Volume
	}
	return past
}

// reachEvery is how old the position of a volume in the plan may get: each change of it is a write, and a volume that was put back by less than that is only found
// out by a manager that has heard more.
const reachEvery = time.Hour

// reach has the plan say how far its volume has come, once an hour, or at once when the dispatcher's has not come so far any more.
func reach(past *contract.LedgerPast, in Input) {
	most, behind := in.Ledger.Report.Position, false
	if former := in.Ledger.Former; former != nil && former.Volume == past.Volume && former.Position > most {
		most, behind = former.Position, true
	}
	if most > past.Reached && (behind || past.ReachedAt.IsZero() || in.Now.Sub(past.ReachedAt) >= reachEvery) {
		past.Reached, past.ReachedAt = most, in.Now.UTC().Truncate(time.Second)
	}
}

// lastUse is the last that is known of what had been used according to a volume. The status is rounded, so it counts with a step of the rounding more. When
// nothing is known, nothing had been used before the CRM was declared.
func lastUse(in Input, volume string) *contract.LedgerLost {
	used := make(map[string]int64)
	if former := in.Ledger.Former; former != nil && former.Volume == volume {
		for _, w := range former.Windows {
			used[w.Name] = w.Used
		}
		return &contract.LedgerLost{At: in.Ledger.FormerAt.UTC().Truncate(time.Second), Used: used}
	}
	if in.Ledger.PublishedAt.IsZero() || len(in.CRM.Status.Windows) == 0 {
		return &contract.LedgerLost{At: in.CRM.CreationTimestamp.UTC()}
	}
	for _, w := range in.CRM.Status.Windows {
		if w.Used != nil && w.Limit != nil {
			used[string(w.Name)] = (*w.Used + (*w.Limit+19)/20) * unitOf(in.Previous.Limits, string(w.Name))
		}
	}
	return &contract.LedgerLost{At: in.Ledger.PublishedAt.UTC().Truncate(time.Second), Used: used}
}

func unitOf(limits []contract.Limit, name string) int64 {
	for _, l := range limits {
		if l.Name == name {
			return unit(l)
		}
	}
	return 1
}
