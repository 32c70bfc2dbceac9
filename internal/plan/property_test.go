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
	})}
	for n := range rapid.IntRange(0, 5).Draw(t, label+" integrations") {
		w.integrations = append(w.integrations, drawIntegration(t, fmt.Sprintf("%s %d", label, n), fmt.Sprintf("i%d", n)))
	}
	return w
}

func drawIntegration(t *rapid.T, label, name string) v1alpha1.Integration {
	i := integration(name, age(time.Duration(rapid.IntRange(0, 3).Draw(t, label+" age"))*time.Hour))
	i.Generation = rapid.Int64Range(1, 9).Draw(t, label+" generation")
	switch rapid.IntRange(0, 2).Draw(t, label+" kind of share") {
	case 0:
		percent(rapid.SampledFrom([]int32{0, 10, 33, 50, 60, 100}).Draw(t, label+" percent"))(&i)
	case 1:
		calls("minute", rapid.SampledFrom([]int64{1, 5, 10, 399, 400}).Draw(t, label+" minute"))(&i)
		if rapid.Bool().Draw(t, label+" day too") {
			calls("day", rapid.SampledFrom([]int64{1, 1250, 2500}).Draw(t, label+" day"))(&i)
		}
	}
	if rapid.Bool().Draw(t, label+" has a key") {
		key(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, label+" key"))(&i)
	}
	if rapid.Float64Range(0, 1).Draw(t, label+" deleting") < 0.1 {
		i.DeletionTimestamp = new(metav1.NewTime(now))
	}
	return i
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

func TestGuaranteesNeverExceedTheLicence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p *contract.Plan
		for n := range rapid.IntRange(1, 4).Draw(t, "edits") {
			p = drawWorld(t, fmt.Sprintf("world %d", n)).compile(throughJSON(t, p)).Plan
			if p == nil {
				continue
			}
			var percent int64
			owners := make(map[string]string)
			for _, e := range p.Integrations {
				percent += e.Share.GuaranteedPercent
				for _, c := range e.Clients {
					for _, id := range append(c.APIKeySHA256, c.ServiceAccount) {
						if owner, taken := owners[id]; taken && id != "" {
							t.Fatalf("%s and %s have the client %s", owner, e.Name, id)
						}
						owners[id] = e.Name
					}
				}
			}
			if percent > 100 {
				t.Fatalf("%d percent are guaranteed", percent)
			}
			for _, l := range p.Limits {
				if sum := guaranteed(p, l); sum > l.Calls+l.Concurrent {
					t.Fatalf("%d calls of %+v are guaranteed", sum, l)
				}
			}
		}
	})
}

// guaranteed adds up what a plan guarantees of a limit, by the words of the contract.
func guaranteed(p *contract.Plan, l contract.Limit) int64 {
	var sum int64
	for _, e := range p.Integrations {
		sum += guaranteeOf(e, l)
	}
	return sum
}

func guaranteeOf(e contract.Integration, l contract.Limit) int64 {
	if e.Share.Guaranteed != nil {
		return e.Share.Guaranteed[l.Name]
	}
	return e.Share.GuaranteedPercent * (l.Calls + l.Concurrent) / 100
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
				for limit := range out.Plan.Integrations[n].Share.Guaranteed {
					out.Plan.Integrations[n].Share.Guaranteed[limit] = -1
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
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("%d_integrations", n), func(b *testing.B) {
			in := plan.Input{CRM: crm(), Now: now}
			for i := range n {
				in.Integrations = append(in.Integrations, integration(fmt.Sprintf("i%04d", i)))
			}
			in.Previous = plan.Compile(in).Plan
			b.ReportAllocs()
			for b.Loop() {
				plan.Compile(in)
			}
		})
	}
}
