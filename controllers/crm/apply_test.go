// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/render"
)

// TestStalePlanIsNotWritten: a manager that lost its leadership without knowing, and still has an older ConfigMap in its cache, fails where it would undo a
// newer plan.
func TestStalePlanIsNotWritten(t *testing.T) {
	c := client.WithFieldOwner(fake.NewClientBuilder().WithReturnManagedFields().Build(), FieldOwner)
	crm := &v1alpha1.CRM{ObjectMeta: metav1.ObjectMeta{Name: "zendesk", Namespace: "contact-centre", UID: "1"}}
	write := func(f *facts, sequence int64) error {
		r := &Reconciler{Client: c}
		return r.writePlan(t.Context(), f, render.Input{CRM: crm, Plan: &contract.Plan{Schema: contract.PlanSchema, Sequence: sequence}})
	}
	read := func() *facts {
		f := &facts{crm: crm}
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "contact-centre", Name: "zendesk-crm-dispatcher"}, &f.children.plan); err != nil {
			t.Fatal(err)
		}
		f.children.plan.UID = "as an API server would give it"
		return f
	}
	if err := write(&facts{crm: crm}, 1); err != nil {
		t.Fatal(err)
	}
	stale := read()
	if err := write(read(), 2); err != nil {
		t.Fatal(err)
	}
	if err := write(stale, 1); err != nil {
		t.Errorf("writing what the stale cache has already failed: %v", err)
	}
	if err := write(stale, 3); !apierrors.IsConflict(err) {
		t.Errorf("a write on a stale cache ended with %v, want a conflict", err)
	}
	mounted := read().children.plan
	if got := render.ParsePlan(mounted.Data).Sequence; got != 2 {
		t.Errorf("sequence %d is in force, want 2", got)
	}
}
