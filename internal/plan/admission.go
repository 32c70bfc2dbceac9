// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// maxPlanBytes keeps the plan's ConfigMap below the 1 MiB that the API server takes, its metadata included.
const maxPlanBytes = 1 << 20 * 9 / 10

// outcome is what came of all declared Integrations.
type outcome struct {
	entries   []contract.Integration
	decisions map[types.NamespacedName]Decision
	// recheck is when time alone can change it; 0 for never.
	recheck time.Duration
}

// admitAll decides which Integrations the plan holds. It starts from what the previous plan grants and takes over one declared entry after the other, as long
// as it fits beside all others in force: first those that ask for nothing more, then by age. What is left over keeps its previous entry, if it had one. The
// outcome is a fixed point: compiling again with the new plan as the previous one changes nothing.
func admitAll(in Input, head *contract.Plan) outcome {
	out := outcome{decisions: make(map[types.NamespacedName]Decision)}
	declared := members(in)
	known := make(zones)
	granted := grantedBefore(declared, in.Previous, head, known)
	var pending []*candidate
	refused := make(map[*candidate]Decision)
	for _, i := range declared {
		c := &candidate{name: nameOf(i), entry: entryOf(i, &in.CRM.Spec, head)}
		d := judgeEntry(&c.entry, head)
		if d.OK() {
			c.calendar, d = judgeOverrides(&c.entry, head, known)
		}
		if !d.OK() {
			refused[c] = d
			continue
		}
		c.size = encodedSize(c.entry)
		pending = append(pending, c)
	}
	timeline, timed := timelineOf(in.Now, granted, pending, known)
	a := newAdmission(head, granted, timeline)
	pending = slices.DeleteFunc(pending, func(c *candidate) bool {
		if !timed(c) {
			refused[c] = tooManyOverrides
			return true
		}
		c.profile = a.granted.profileOf(&c.entry, c.calendar)
		c.asksMore = a.asksMore(c)
		return false
	})
	for c, d := range refused {
		out.decisions[c.name] = a.refuse(c, d)
	}
	for c, d := range a.takeOver(pending) {
		out.decisions[c.name] = d
	}
	out.entries = a.entries()
	out.recheck = a.recheck(in.Now, out.decisions)
	return out
}

// takeOver puts the candidates in force that fit, one after the other, and decides on all of them.
func (a *admission) takeOver(pending []*candidate) map[*candidate]Decision {
	decisions := make(map[*candidate]Decision, len(pending))
	slices.SortStableFunc(pending, func(x, y *candidate) int { return cmp.Compare(rank(x), rank(y)) })
	for {
		n := slices.IndexFunc(pending, func(c *candidate) bool {
			if c.refused && c.refusedAt == a.freed { // it does not fit before something else becomes smaller
				return false
			}
			c.refused, c.refusedAt = !a.obstacle(c).OK(), a.freed
			return !c.refused
		})
		if n < 0 {
			break
		}
		a.put(&held{pending[n].entry, pending[n].profile, pending[n].size})
		decisions[pending[n]] = accepted
		pending = slices.Delete(pending, n, n+1)
	}
	for _, c := range pending {
		decisions[c] = a.refuse(c, a.obstacle(c))
	}
	return decisions
}

// candidate is a declared Integration that waits to be taken over.
type candidate struct {
	name     types.NamespacedName
	entry    contract.Integration
	calendar calendar
	profile  profile
	size     int
	asksMore bool
	// refused: it did not fit when the admission's freed was refusedAt.
	refused   bool
	refusedAt int
}

func rank(c *candidate) int {
	if c.asksMore {
		return 1
	}
	return 0
}

// admission is the set of entries in force so far, with running sums of everything that bounds it.
type admission struct {
	head    *contract.Plan
	inForce map[string]*held
	granted *guarantees
	// owners maps a client's identity to the key of the entry in force that has it.
	owners map[string]string
	bytes  int
	// freed counts the times that something became smaller.
	freed int
}

// held is an entry in force.
type held struct {
	entry   contract.Integration
	profile profile
	size    int
}

// grant is an entry of the previous plan.
type grant struct {
	entry    contract.Integration
	calendar calendar
}

// grantedBefore is what the previous plan grants to Integrations that are still declared, in the order in which it is cut where the licence has shrunk:
// percentages shrink by themselves and so go first, then calls by age.
func grantedBefore(declared []*v1alpha1.Integration, previous, head *contract.Plan, known zones) []grant {
	if previous == nil || previousLicence(previous) != previousLicence(head) {
		return nil
	}
	entries := make(map[string]contract.Integration, len(previous.Integrations))
	for _, e := range previous.Integrations {
		entries[e.Key()] = e
	}
	var out []grant
	for _, i := range declared {
		entry, found := entries[nameOf(i).String()]
		if !found {
			continue
		}
		entry.Enforce = enforces(i, head)
		if c, err := newCalendar(&entry, shared(head), known); err == nil {
			out = append(out, grant{entry, c})
		}
	}
	slices.SortStableFunc(out, func(x, y grant) int {
		a, b := inCalls(&x.entry), inCalls(&y.entry)
		switch {
		case a == b:
			return 0
		case b:
			return -1
		default:
			return 1
		}
	})
	return out
}

// newAdmission puts in force what was granted before, cut to what fits.
func newAdmission(head *contract.Plan, granted []grant, t *timeline) *admission {
	a := &admission{
		head: head, inForce: make(map[string]*held), granted: newGuarantees(head, t), owners: make(map[string]string), bytes: encodedSize(headOnly(head)),
	}
	for _, g := range granted {
		p := a.granted.profileOf(&g.entry, g.calendar)
		entry := a.granted.cut(g.entry, &p)
		if !sameShares(&entry, &g.entry) {
			p = a.granted.profileOf(&entry, g.calendar)
		}
		a.put(&held{entry, p, encodedSize(entry)})
	}
	return a
}

// put puts an entry in force in place of the one of the same key.
func (a *admission) put(h *held) {
	key := h.entry.Key()
	if old, had := a.inForce[key]; had {
		a.granted.add(&old.profile, -1)
		a.bytes -= old.size
		for _, c := range old.entry.Clients {
			for _, id := range identities(c) {
				delete(a.owners, id)
			}
		}
	}
	old := a.inForce[key]
	a.inForce[key] = h
	a.granted.add(&h.profile, 1)
	a.bytes += h.size
	for _, c := range h.entry.Clients {
		for _, id := range identities(c) {
			a.owners[id] = key
		}
	}
	if old != nil && a.frees(old, h) {
		a.freed++
	}
}

// frees says whether something that another entry may be waiting for becomes smaller from one version of an entry to the next.
func (a *admission) frees(from, to *held) bool {
	if to.size < from.size || a.granted.grows(&from.profile, &to.profile) {
		return true
	}
	for _, c := range from.entry.Clients {
		for _, id := range identities(c) {
			if _, kept := a.owners[id]; !kept {
				return true
			}
		}
	}
	return false
}

// obstacle says why an entry does not fit beside the others in force. OK means that it does.
func (a *admission) obstacle(c *candidate) Decision {
	if d := a.clientsTaken(&c.entry); !d.OK() {
		return d
	}
	old, had := a.inForce[c.entry.Key()]
	size := c.size
	if had {
		size -= old.size
	}
	if d := a.guaranteeFits(c, old); !d.OK() {
		return d
	}
	if !had && len(a.inForce) >= contract.MaxIntegrations {
		return Decision{v1alpha1.ReasonTooManyIntegrations, fmt.Sprintf(
			"CRM %s has %d integrations already, which is the most: delete one", a.head.CRM.Name, contract.MaxIntegrations)}
	}
	if d := a.credentialsFit(&c.entry); !d.OK() {
		return d
	}
	if a.bytes+size > maxPlanBytes {
		return Decision{v1alpha1.ReasonTooManyIntegrations, fmt.Sprintf(
			"the dispatch plan of CRM %s would exceed %d bytes: shorten overflow.operations, overrides or clients, or delete an integration",
			a.head.CRM.Name, maxPlanBytes)}
	}
	return accepted
}

func (a *admission) clientsTaken(entry *contract.Integration) Decision {
	for _, c := range entry.Clients {
		for _, id := range identities(c) {
			if owner, taken := a.owners[id]; taken && owner != entry.Key() {
				return Decision{v1alpha1.ReasonDuplicateClient, fmt.Sprintf(
					"clients: %s is already a client of integration %s: remove it from one of the two", c.Name, owner)}
			}
		}
	}
	return accepted
}

// guaranteeFits: what is guaranteed already fits.
func (a *admission) guaranteeFits(c *candidate, old *held) Decision {
	if old == nil {
		return a.granted.fits(&c.entry, &c.profile, nil)
	}
	if sameShares(&c.entry, &old.entry) {
		return accepted
	}
	return a.granted.fits(&c.entry, &c.profile, &old.profile)
}

// asksMore says whether an entry wants anything that the one in force does not have.
func (a *admission) asksMore(c *candidate) bool {
	old, had := a.inForce[c.entry.Key()]
	if !had {
		nothing := a.granted.profileOf(&contract.Integration{}, nil)
		old = &held{profile: nothing}
	}
	if !sameShares(&c.entry, &old.entry) && a.granted.grows(&c.profile, &old.profile) {
		return true
	}
	for _, client := range c.entry.Clients {
		for _, id := range identities(client) {
			if a.owners[id] != c.entry.Key() {
				return true
			}
		}
	}
	return false
}

// refuse completes a decision by what happens instead.
func (a *admission) refuse(c *candidate, d Decision) Decision {
	if _, had := a.inForce[c.entry.Key()]; had {
		d.Message += "; meanwhile its previous version stays in force"
	}
	return d
}

// entries are those in force in order of key.
func (a *admission) entries() []contract.Integration {
	out := make([]contract.Integration, 0, len(a.inForce))
	for _, key := range slices.Sorted(maps.Keys(a.inForce)) {
		out = append(out, a.inForce[key].entry)
	}
	return out
}

func headOnly(p *contract.Plan) contract.Plan {
	h := *p
	h.Integrations = nil
	return h
}

func encodedSize(v any) int {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("plan: keys that are not JSON were left out before: " + err.Error())
	}
	return len(encoded) + 1 // the comma between entries
}
