// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// world is a small set of declared objects, drawn so that guarantees, clients and limits collide often.
type world struct {
	crm          *v1alpha1.CRM
	integrations []v1alpha1.Integration
}

func drawWorld(t *rapid.T, label string) world {
	w := world{crm: crm(func(c *v1alpha1.CRM) {
		c.Generation = rapid.Int64Range(1, 3).Draw(t, label+" generation")
		c.Spec.Licence.Limits[0].Calls = rapid.SampledFrom([]int64{1, 7, 10, 400}).Draw(t, label+" minute")
		if rapid.Float64Range(0, 1).Draw(t, label+" without day") < 0.2 {
			c.Spec.Licence.Limits = c.Spec.Licence.Limits[:1]
		}
		if rapid.Float64Range(0, 1).Draw(t, label+" bad zone") < 0.1 && len(c.Spec.Licence.Limits) > 1 {
			c.Spec.Licence.Limits[1].Calendar.TimeZone = "Europe/Atlantis"
		}
		if rapid.Float64Range(0, 1).Draw(t, label+" by tier") < 0.5 {
			tiers := rapid.SampledFrom([]v1alpha1.TierName{"SupportEssential", "SuiteTeam", "SuiteGrowth"})
			c.Spec.Licence.Tier, c.Spec.Licence.Limits = tiers.Draw(t, label+" tier"), c.Spec.Licence.Limits[1:]
			if rapid.Bool().Draw(t, label+" is followed") {
				follows(tiers.Draw(t, label+" next tier"), now.Add(rapid.SampledFrom([]time.Duration{-time.Hour, time.Hour, 2 * time.Hour}).Draw(t, label+" next from")))(c)
			}
		}
		c.Spec.Licence.ExternalPercent = new(rapid.SampledFrom([]int32{0, 0, 10, 33}).Draw(t, label+" external"))
	})}
	for n := range rapid.IntRange(0, 5).Draw(t, label+" integrations") {
		w.integrations = append(w.integrations, drawIntegration(t, fmt.Sprintf("%s %d", label, n), fmt.Sprintf("i%d", n)))
	}
	return w
}

func drawIntegration(t *rapid.T, label, name string) v1alpha1.Integration {
	i := integration(name, age(time.Duration(rapid.IntRange(0, 3).Draw(t, label+" age"))*time.Hour))
	i.Generation = rapid.Int64Range(1, 9).Draw(t, label+" generation")
	i.Spec.Share = drawShare(t, label)
	if rapid.Float64Range(0, 1).Draw(t, label+" has overrides") < 0.5 {
		for n := range rapid.IntRange(1, 3).Draw(t, label+" overrides") {
			drawOverride(t, fmt.Sprintf("%s override %d", label, n))(&i)
		}
	}
	if rapid.Float64Range(0, 1).Draw(t, label+" is external") < 0.1 {
		external(&i)
		return i
	}
	if rapid.Bool().Draw(t, label+" has a key") {
		key(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, label+" key"))(&i)
	}
	if rapid.Float64Range(0, 1).Draw(t, label+" deleting") < 0.1 {
		i.DeletionTimestamp = new(metav1.NewTime(now))
	}
	return i
}

func drawShare(t *rapid.T, label string) v1alpha1.Share {
	var i v1alpha1.Integration
	i.Spec.Share = share(rapid.SampledFrom([]int32{0, 0, 10, 33, 50, 60, 100}).Draw(t, label+" percent"))
	switch rapid.IntRange(0, 3).Draw(t, label+" kind of share") {
	case 0:
		calls("minute", rapid.SampledFrom([]int64{0, 1, 5, 10, 399, 400}).Draw(t, label+" minute"))(&i)
		if rapid.Bool().Draw(t, label+" day too") {
			calls("day", rapid.SampledFrom([]int64{1, 1250, 2500}).Draw(t, label+" day"))(&i)
		}
	case 1:
		i.Spec.Share.PerLimit = []v1alpha1.LimitShare{{Limit: "minute", GuaranteedPercent: new(rapid.SampledFrom([]int32{0, 40, 100}).Draw(t, label+" of minute"))}}
	}
	return i.Spec.Share
}

// drawOverride draws times at half hours, among them nights when clocks are changed, so that a check of all half hours is exact.
func drawOverride(t *rapid.T, label string) func(*v1alpha1.Integration) {
	s := drawShare(t, label)
	if rapid.Bool().Draw(t, label+" holds once") {
		from := now.Add(time.Duration(rapid.IntRange(-48, 48).Draw(t, label+" from")) * time.Hour / 2)
		if rapid.Bool().Draw(t, label+" in spring") {
			from = from.Add(124 * 24 * time.Hour)
		}
		return once(from, from.Add(time.Duration(rapid.SampledFrom([]int{1, 7, 48, 400, 9_000}).Draw(t, label+" for"))*time.Hour/2), s)
	}
	clock := func(what string) string {
		n := rapid.SampledFrom([]int{0, 2, 4, 5, 16, 36, 47}).Draw(t, label+what)
		return fmt.Sprintf("%02d:%02d", n/2, n%2*30)
	}
	days := rapid.SampledFrom([][]v1alpha1.Weekday{{"Sunday"}, {"Saturday", "Sunday"}, {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}}).Draw(t, label+" days")
	zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"}).Draw(t, label+" zone")
	return weekly(zone, clock(" start"), clock(" end"), s, days...)
}

func (w world) compile(previous *contract.Plan) plan.Output {
	return plan.Compile(plan.Input{CRM: w.crm, Integrations: w.integrations, Previous: previous, Now: now})
}

func TestCompilingAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := throughJSON(t, drawWorld(t, "before").compile(nil).Plan)
		w := drawWorld(t, "after")
		first := w.compile(before)
		second := w.compile(throughJSON(t, first.Plan))
		if first.Plan == nil {
			return
		}
		if diff := cmp.Diff(first, second, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("compiling again (-first +second):\n%s", diff)
		}
	})
}

func TestTheOrderOfTheInputMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		previous := drawWorld(t, "before").compile(nil).Plan
		w := drawWorld(t, "after")
		want := w.compile(previous)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.Shuffle(len(w.integrations), func(i, j int) { w.integrations[i], w.integrations[j] = w.integrations[j], w.integrations[i] })
		if diff := cmp.Diff(want, w.compile(previous)); diff != "" {
			t.Fatalf("in another order (-want +got):\n%s", diff)
		}
	})
}

func TestNoTwoIntegrationsHaveOneClient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p *contract.Plan
		for n := range rapid.IntRange(1, 4).Draw(t, "edits") {
			p = drawWorld(t, fmt.Sprintf("world %d", n)).compile(throughJSON(t, p)).Plan
			if p == nil {
				continue
			}
			owners := make(map[string]string)
			for _, e := range p.Integrations {
				for _, c := range e.Clients {
					for _, id := range append(c.APIKeySHA256, c.ServiceAccount) {
						if owner, taken := owners[id]; taken && id != "" {
							t.Fatalf("%s and %s have the client %s", owner, e.Name, id)
						}
						owners[id] = e.Name
					}
				}
			}
		}
	})
}

func TestNobodysEditTakesWhatAnotherWasGranted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, "world")
		before := w.compile(nil)
		if before.Plan == nil || len(w.integrations) == 0 {
			return
		}
		// Everybody but one edits anything or leaves, and newcomers of any age arrive. That one, and the licence, stay as they are.
		stays := rapid.IntRange(0, len(w.integrations)-1).Draw(t, "who stays")
		after := world{crm: w.crm, integrations: []v1alpha1.Integration{w.integrations[stays]}}
		for n := range rapid.IntRange(0, 5).Draw(t, "others") {
			name := fmt.Sprintf("i%d", n)
			if name != w.integrations[stays].Name {
				after.integrations = append(after.integrations, drawIntegration(t, fmt.Sprintf("other %d", n), name))
			}
		}
		out := after.compile(throughJSON(t, before.Plan))

		find := func(p *contract.Plan) *contract.Integration {
			i := slices.IndexFunc(p.Integrations, func(e contract.Integration) bool { return e.Name == w.integrations[stays].Name })
			if i < 0 {
				return nil
			}
			return &p.Integrations[i]
		}
		had, has := find(before.Plan), find(out.Plan)
		if had == nil {
			return // it was refused and may be admitted now
		}
		if diff := cmp.Diff(had, has); diff != "" {
			t.Fatalf("somebody else's edit changed it (-had +has):\n%s", diff)
		}
		name := types.NamespacedName{Namespace: had.Namespace, Name: had.Name}
		if d := out.Integrations[name]; before.Integrations[name].OK() && !d.OK() {
			t.Fatalf("somebody else's edit had it refused: %+v", d)
		}
	})
}

func TestCompileLeavesItsInputAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		previous := drawWorld(t, "before").compile(nil).Plan
		w := drawWorld(t, "after")
		in := world{crm: w.crm.DeepCopy()}
		for _, i := range w.integrations {
			in.integrations = append(in.integrations, *i.DeepCopy())
		}
		kept := throughJSON(t, previous)
		out := w.compile(previous)
		if out.Plan != nil {
			for n := range out.Plan.Integrations {
				clear(out.Plan.Integrations[n].Share.PerLimit)
				for o := range out.Plan.Integrations[n].Overrides {
					clear(out.Plan.Integrations[n].Overrides[o].Share.PerLimit)
				}
			}
		}
		if diff := cmp.Diff(in, w, cmp.AllowUnexported(world{})); diff != "" {
			t.Fatalf("the objects changed:\n%s", diff)
		}
		if diff := cmp.Diff(kept, previous, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the previous plan changed, or shares a map with the new one:\n%s", diff)
		}
	})
}

func planSize(t *testing.T, p *contract.Plan) int {
	t.Helper()
	encoded, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return len(encoded)
}

func BenchmarkCompile(b *testing.B) {
	overridden := func(times int) func(*v1alpha1.Integration) {
		return func(i *v1alpha1.Integration) {
			for n := range 16 {
				minute := (times*n + len(i.Spec.Overrides)*n*7) % 1440
				start := fmt.Sprintf("%02d:%02d", minute/60, minute%60)
				weekly("Europe/Berlin", start, "18:00", share(0), v1alpha1.Weekday(time.Weekday(n%7).String()))(i)
			}
			percent(1)(i)
		}
	}
	for _, row := range []struct {
		name         string
		integrations int
		edit         func(n int) func(*v1alpha1.Integration)
	}{
		{"10_integrations", 10, func(int) func(*v1alpha1.Integration) { return percent(1) }},
		{"1000_integrations", 1000, func(n int) func(*v1alpha1.Integration) { return percent(int32(n / 990)) }},
		{"1000_integrations,_16_overrides_each_at_30_times", 1000, func(int) func(*v1alpha1.Integration) { return overridden(30) }},
		{"1000_integrations,_16_overrides_each_at_any_times", 1000, func(n int) func(*v1alpha1.Integration) { return overridden(n) }},
	} {
		for _, steady := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/steady=%t", row.name, steady), func(b *testing.B) {
				in := plan.Input{CRM: crm(), Now: now}
				for i := range row.integrations {
					in.Integrations = append(in.Integrations, integration(fmt.Sprintf("i%04d", i), row.edit(i)))
				}
				if steady {
					in.Previous = plan.Compile(in).Plan
				}
				b.ReportAllocs()
				for b.Loop() {
					plan.Compile(in)
				}
			})
		}
	}
}
