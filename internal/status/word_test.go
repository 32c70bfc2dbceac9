// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// reported tells what the CRM says that the minute allows.
func reported(n int64) func(*contract.Report) {
	return func(r *contract.Report) { r.Windows[0].Reported, r.Windows[0].Contradicted = &n, false }
}

func TestLimitsMatch(t *testing.T) {
	const unknown, match, differ = "Unknown/NotKnown", "True/LimitsMatch", "False/LimitsDiffer"
	contradicted := func(r *contract.Report) { r.Windows[0].Reported, r.Windows[0].Contradicted = nil, true }
	for name, row := range map[string]struct {
		facts func(*status.CRMFacts)
		steps []step
	}{
		"good news comes at once": {nil, []step{{0, same, unknown}, {time.Second, reported(400), match}}},
		"bad news after two minutes": {nil, []step{
			{0, reported(400), match}, {time.Minute, reported(200), match}, {119 * time.Second, same, match}, {time.Second, same, differ},
			{time.Minute, reported(400), differ}, {2 * time.Minute, same, match},
		}},
		"a larger limit differs, too":              {nil, []step{{0, reported(700), unknown}, {2 * time.Minute, same, differ}}},
		"contradictions are said at once":          {nil, []step{{0, reported(400), match}, {time.Second, contradicted, "Unknown/Contradictory"}}},
		"a limit that is not declared any more":    {func(f *status.CRMFacts) { f.Compiled.Plan.Limits[0].Name = "new" }, []step{{time.Hour, reported(200), unknown}}},
		"what is not told of one hides no other's": {nil, []step{{0, reported(200), unknown}, {time.Hour, func(r *contract.Report) { r.Windows[1].Contradicted = true }, differ}}},
	} {
		t.Run(name, func(t *testing.T) { follow(t, v1alpha1.ConditionLimitsMatch, row.facts, row.steps) })
	}
}

func TestLimitsMatchNamesTheEdit(t *testing.T) {
	for source, holds := range map[contract.LimitSource]string{
		"": "The lower of both holds", contract.LimitDeclared: "What is declared holds", contract.LimitReported: "What the CRM reports holds",
	} {
		w := follow(t, v1alpha1.ConditionLimitsMatch, func(f *status.CRMFacts) { f.Compiled.Plan.LimitSource = source }, []step{
			{0, reported(200), "Unknown/NotKnown"}, {2 * time.Minute, same, "False/LimitsDiffer"},
		})
		const want = "Limit minute is declared as 400, and the CRM reports 200: set calls: 200 there. "
		if got := message(w, v1alpha1.ConditionLimitsMatch); !strings.HasPrefix(got, want+holds) {
			t.Errorf("message %q, want %q", got, want+holds)
		}
	}
}

func TestLimitsMatchNamesTheTierThatWouldAgree(t *testing.T) {
	tier := func(f *status.CRMFacts) {
		f.Compiled.Licence = &plan.WrittenLicence{Tier: "SuiteGrowth", Limits: []plan.WrittenLimit{
			{Limit: v1alpha1.Limit{Name: "minute"}, Origin: v1alpha1.LimitOriginCatalogue},
		}}
		f.Compiled.Plan.Tiers = []contract.Tier{{Name: "SuiteTeam", Limits: map[string]int64{"minute": 200}}, {Name: "SuiteGrowth", Limits: map[string]int64{"minute": 400}}}
	}
	for reports, want := range map[int64]string{
		200: "Limit minute of tier SuiteGrowth is 400, and the CRM reports 200: set licence.tier, if it is that (SuiteTeam has as many), or declare it in licence.limits, with calls: 200. ",
		300: "Limit minute of tier SuiteGrowth is 400, and the CRM reports 300: declare it in licence.limits, with calls: 300. ",
	} {
		w := follow(t, v1alpha1.ConditionLimitsMatch, tier, []step{{0, reported(reports), "Unknown/NotKnown"}, {2 * time.Minute, same, "False/LimitsDiffer"}})
		if got := message(w, v1alpha1.ConditionLimitsMatch); !strings.HasPrefix(got, want) {
			t.Errorf("message %q, want %q", got, want)
		}
	}
}

func TestUsageAccounted(t *testing.T) {
	const unknown, accounted, undeclared = "Unknown/NotKnown", "True/Accounted", "False/UndeclaredUse"
	external := func(n, keptFree int64) func(*contract.Report) {
		return func(r *contract.Report) { r.Windows[0].External, r.Windows[0].KeptFree = &n, keptFree }
	}
	for name, steps := range map[string][]step{
		"nothing is told":               {{0, same, unknown}, {time.Hour, same, unknown}},
		"nobody else calls":             {{0, external(0, 0), accounted}},
		"others do, for a while":        {{0, external(0, 0), accounted}, {time.Minute, external(120, 0), accounted}, {2 * time.Minute, same, undeclared}},
		"others are declared":           {{0, external(120, 120), accounted}, {time.Hour, same, accounted}},
		"others use some more":          {{0, external(120, 120), accounted}, {time.Minute, external(130, 120), accounted}, {time.Hour, same, accounted}},
		"others use notably more":       {{0, external(120, 120), accounted}, {time.Minute, external(160, 120), accounted}, {time.Hour, same, undeclared}},
		"less is used than is declared": {{0, external(40, 120), accounted}, {time.Hour, same, accounted}},
	} {
		t.Run(name, func(t *testing.T) { follow(t, v1alpha1.ConditionUsageAccounted, nil, steps) })
	}
	w := follow(t, v1alpha1.ConditionUsageAccounted, nil, []step{{0, external(120, 40), unknown}, {2 * time.Minute, same, undeclared}})
	const want = "Callers that do not go through the dispatcher use about 120 of 400 of limit minute, and 40 are kept free for them: " +
		"declare them as Integrations with route External, or set licence.externalPercent: 30."
	if got := message(w, v1alpha1.ConditionUsageAccounted); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}
