// SPDX-License-Identifier: Apache-2.0

package compiled

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

var zendesk = types.NamespacedName{Namespace: "contact-centre", Name: "zendesk"}

func woken(changes <-chan event.GenericEvent) bool {
	select {
	case <-changes:
		return true
	default:
		return false
	}
}

func TestReadersAreWokenByNewsOnly(t *testing.T) {
	entry := func(sequence int64, recheck time.Duration, ready bool) *Entry {
		return &Entry{Output: plan.Output{Plan: &contract.Plan{Sequence: sequence}, RecheckAfter: recheck}, PodReady: ready}
	}
	steps := []struct {
		what string
		put  *Entry
		want bool
	}{
		{"the first entry", entry(1, time.Minute, false), true},
		{"the same entry", entry(1, time.Minute, false), false},
		{"another time to look again", entry(1, time.Second, false), false},
		{"a new plan", entry(2, time.Second, false), true},
		{"a pod that became ready", entry(2, time.Second, true), true},
	}
	b := NewBoard()
	changes := b.Changes()
	for _, step := range steps {
		b.Publish(t.Context(), zendesk, step.put)
		if got := woken(changes); got != step.want {
			t.Errorf("%s: woken %v, want %v", step.what, got, step.want)
		}
		if b.Get(zendesk) != step.put {
			t.Errorf("%s: it is not what the board has", step.what)
		}
	}
	b.Forget(t.Context(), zendesk)
	if !woken(changes) || b.Get(zendesk) != nil {
		t.Error("a CRM that is gone is still there, or nobody was woken")
	}
	b.Forget(t.Context(), zendesk)
	if woken(changes) {
		t.Error("a CRM that was gone before woke somebody")
	}
}

func TestEntryCoversOnlyTheStateItWasMadeFrom(t *testing.T) {
	entry := &Entry{Seen: map[types.UID]int64{"1": 2}}
	tests := map[string]struct {
		uid        types.UID
		generation int64
		want       bool
	}{
		"this state":          {"1", 2, true},
		"a later generation":  {"1", 3, false},
		"another Integration": {"2", 2, false},
	}
	for name, test := range tests {
		integration := &v1alpha1.Integration{ObjectMeta: metav1.ObjectMeta{UID: test.uid, Generation: test.generation}}
		if got := entry.Covers(integration); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
