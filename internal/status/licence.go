// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// endingSoon is how long before its end a licence is said to end.
const endingSoon = 30 * 24 * time.Hour

// valid says whether the licence has ended, or will soon. The weighing learns when that changes.
func (f *CRMFacts) valid(w *weighing) verdict {
	licence := &f.CRM.Spec.Licence
	if next := licence.Next; next != nil {
		left := next.From.Sub(w.now)
		if left <= 0 {
			return yes(v1alpha1.ReasonValid, fmt.Sprintf("Tier %s is in force since %s.", next.Tier, minuteOf(next.From)))
		}
		w.wait = soonest(w.wait, left)
		return yes(v1alpha1.ReasonValid, fmt.Sprintf("Tier %s follows at %s.", next.Tier, minuteOf(next.From)))
	}
	if licence.ValidUntil == nil {
		return yes(v1alpha1.ReasonValid, "No end of the licence is declared.")
	}
	end := minuteOf(licence.ValidUntil)
	switch left := licence.ValidUntil.Sub(w.now); {
	case left <= 0:
		return no(v1alpha1.ReasonLicenceEnded, fmt.Sprintf("The licence ended at %s; its limits stay in force. Set licence.validUntil or licence.next once it is renewed.", end))
	case left <= endingSoon:
		w.wait = soonest(w.wait, left)
		return no(v1alpha1.ReasonLicenceEnding, fmt.Sprintf("The licence ends at %s, and licence.next does not say which one follows.", end))
	default:
		w.wait = soonest(w.wait, left-endingSoon)
		return yes(v1alpha1.ReasonValid, fmt.Sprintf("The licence ends at %s.", end))
	}
}

// licenceStatus publishes a licence that is written out.
func licenceStatus(l *plan.WrittenLicence) v1alpha1.LicenceStatus {
	out := v1alpha1.LicenceStatus{Tier: v1alpha1.TierName(l.Tier)}
	if l.Next != nil {
		out.NextTier, out.NextTime = v1alpha1.TierName(l.Next.Tier), new(metav1.NewTime(l.Next.From).Rfc3339Copy())
	}
	for i := range l.Limits {
		limit := &l.Limits[i]
		out.Limits = append(out.Limits, v1alpha1.LicenceLimitStatus{
			Name: limit.Name, Allows: allows(&limit.Limit), Origin: limit.Origin, Source: limit.Source, Confidence: limit.Confidence,
		})
	}
	return out
}

// maxAllows is the longest text of LicenceLimitStatus.Allows, in bytes.
const maxAllows = 120

// allows is a limit in words. The calls that it counts are left out where they are too many to be named.
func allows(l *v1alpha1.Limit) string {
	units := fmt.Sprintf("%d calls", l.Calls)
	switch {
	case l.Concurrent > 0:
		units = fmt.Sprintf("%d at a time", l.Concurrent)
	case l.ExecutionSeconds > 0:
		units = fmt.Sprintf("%d s of execution", l.ExecutionSeconds)
	case len(l.Costs) > 0:
		units = fmt.Sprintf("%d units", l.Calls)
	}
	switch {
	case l.WindowSeconds > 0:
		units += fmt.Sprintf(" in %d s", l.WindowSeconds)
	case l.Calendar != nil:
		units += fmt.Sprintf(" a %s (%s)", strings.ToLower(string(l.Calendar.Unit)), cmp.Or(string(l.Calendar.TimeZone), "in no known time zone"))
	case l.Until == v1alpha1.SlotUntilJobEnds:
		units += ", until their jobs end"
	}
	switch l.Scope {
	case v1alpha1.LimitScopeRecord:
		units += " for each record"
	case v1alpha1.LimitScopeCredential:
		units += " for each credential"
	default: // of all calls
	}
	what := string(l.Match.Path)
	if what != "" && len(l.Match.Methods) > 0 {
		var methods []string
		for _, m := range l.Match.Methods {
			methods = append(methods, string(m))
		}
		what = strings.Join(methods, "|") + " " + what
	}
	for n, o := range l.Match.Operations {
		if n > 0 {
			what += ", "
		}
		what += string(o)
	}
	if what == "" || len(units)+2+len(what) > maxAllows {
		return units
	}
	return units + ": " + what
}

// smallerTier says whether the tier of this name has limits that are nowhere larger than those in force, and somewhere smaller.
func (f *CRMFacts) smallerTier(name string) bool {
	for _, t := range f.Compiled.Plan.Tiers {
		if t.Name != name {
			continue
		}
		smaller := false
		for _, l := range f.Compiled.Plan.Limits {
			size, named := t.Limits[l.Name]
			if named && size > l.Size() {
				return false
			}
			smaller = smaller || named && size < l.Size()
		}
		return smaller
	}
	return false
}
