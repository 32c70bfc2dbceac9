// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// notable is the part of a limit that others must use beyond what is declared for them to be worth a word.
const notable = 20

// limitsMatch compares the declared limits with what the CRM says of them.
func (f *CRMFacts) limitsMatch() verdict {
	var differ, contradict []string
	told := false
	for _, w := range f.Reported.Latest.Windows {
		declared := f.declared(w.Name)
		switch {
		case declared == nil:
		case w.Contradicted:
			contradict = append(contradict, w.Name)
		case w.Reported == nil:
		case *w.Reported != declared.Size():
			differ = append(differ, f.difference(w.Name, declared.Size(), *w.Reported))
		default:
			told = true
		}
	}
	switch {
	case len(differ) > 0:
		return no(v1alpha1.ReasonLimitsDiffer, sentence(strings.Join(differ, "; "))+holds(f.Compiled.Plan.LimitSource))
	case len(f.Reported.Latest.Learnt) > 0:
		return no(v1alpha1.ReasonHiddenLimit, hiddenLimits(f.Reported.Latest.Learnt))
	case len(contradict) > 0:
		return unknown(v1alpha1.ReasonContradictory, fmt.Sprintf("What the CRM's answers say of limit %s contradicts itself and is ignored for now.",
			strings.Join(contradict, ", ")))
	case told:
		return yes(v1alpha1.ReasonLimitsMatch, "The CRM reports the limits that it tells of as they are declared.")
	default:
		return unknown(v1alpha1.ReasonNotKnown, "The CRM's answers have not told yet how large a limit is.")
	}
}

// difference says what the CRM reports of a limit, and which edit agrees with it.
func (f *CRMFacts) difference(limit string, declared, reported int64) string {
	if !f.implied(limit) {
		return fmt.Sprintf("limit %s is declared as %d, and the CRM reports %d: set calls: %d there", limit, declared, reported, reported)
	}
	var tiers []string
	for _, t := range f.Compiled.Plan.Tiers {
		if t.Limits[limit] == reported {
			tiers = append(tiers, t.Name)
		}
	}
	edit := fmt.Sprintf("declare it in licence.limits, with calls: %d", reported)
	if len(tiers) > 0 {
		edit = fmt.Sprintf("set licence.tier, if it is that (%s has as many), or %s", strings.Join(tiers, " or "), edit)
	}
	return fmt.Sprintf("limit %s of tier %s is %d, and the CRM reports %d: %s", limit, f.Compiled.Licence.Tier, declared, reported, edit)
}

// implied says that a limit comes from the catalogue.
func (f *CRMFacts) implied(limit string) bool {
	return f.Compiled.Licence != nil && slices.ContainsFunc(f.Compiled.Licence.Limits, func(l plan.WrittenLimit) bool {
		return string(l.Name) == limit && l.Origin == v1alpha1.LimitOriginCatalogue
	})
}

// holds says what is enforced meanwhile.
func holds(source contract.LimitSource) string {
	switch source {
	case contract.LimitDeclared:
		return " What is declared holds (licence.limitSource: Declared)."
	case contract.LimitReported:
		return " What the CRM reports holds (licence.limitSource: Reported)."
	default:
		return " The lower of both holds (licence.limitSource: Lowest)."
	}
}

func sentence(words string) string { return strings.ToUpper(words[:1]) + words[1:] + "." }

func (f *CRMFacts) declared(limit string) *contract.Limit {
	i := slices.IndexFunc(f.Compiled.Plan.Limits, func(l contract.Limit) bool { return l.Name == limit })
	if i < 0 {
		return nil
	}
	return &f.Compiled.Plan.Limits[i]
}

// usageAccounted compares what others use with what is declared for them. It reads figures as they are published, which do not swing.
func (f *CRMFacts) usageAccounted(windows []v1alpha1.WindowStatus) verdict {
	told := false
	for _, w := range windows {
		if w.External == nil || deref(w.Limit) == 0 {
			continue
		}
		told = true
		if over := *w.External - deref(w.KeptFree); over*notable >= *w.Limit && over > 0 {
			percent := min(90, (*w.External*100+*w.Limit-1) / *w.Limit)
			return no(v1alpha1.ReasonUndeclaredUse, fmt.Sprintf("Callers that do not go through the dispatcher use about %d of %d of limit %s, and %d are kept free for them: "+
				"declare them as Integrations with route External, or set licence.externalPercent: %d.", *w.External, *w.Limit, w.Name, deref(w.KeptFree), percent))
		}
	}
	if told {
		return yes(v1alpha1.ReasonAccounted, "Others use no notable part of a limit beyond what is declared for them.")
	}
	return unknown(v1alpha1.ReasonNotKnown, "The CRM's answers have not told yet what others use."+f.unanswered())
}
