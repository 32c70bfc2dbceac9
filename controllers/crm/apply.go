// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/render"
)

// +kubebuilder:rbac:groups="",resources=serviceaccounts;configmaps;services,verbs=create;patch;delete
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=create;patch
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=create;patch;delete

// apply brings the objects in line with the plan. A spec that is not accepted changes nothing but the plan, which then holds what was granted before: the
// dispatcher goes on as it is. Without a plan nothing may run.
func (r *Reconciler) apply(ctx context.Context, f *facts, output plan.Output) error {
	switch {
	case output.Plan == nil:
		return r.remove(ctx, f)
	case f.nameTaken != "":
		return nil
	}
	in := render.Input{
		CRM: f.crm, Plan: output.Plan,
		Image: r.Settings.Image, ManagerNamespace: r.Settings.ManagerNamespace,
		ClaimName: f.children.claimName, Licence: plan.Licence(f.crm),
	}
	// The plan comes first: a pod that starts before its ConfigMap is there waits for a retry of the kubelet.
	if err := r.writePlan(ctx, f, in); err != nil {
		return err
	}
	if err := r.refreshMount(ctx, f, output.Plan); err != nil {
		return err
	}
	if !output.CRM.OK() {
		return nil
	}
	failures := []error{r.ensureClaim(ctx, f, in)}
	for _, o := range f.objects(in) {
		failures = append(failures, r.ensure(ctx, o))
	}
	return errors.Join(failures...)
}

// object is one that must be as intended.
type object struct {
	live   client.Object
	intent runtime.ApplyConfiguration
	// applied is what the operator owns of the live object.
	applied func() (runtime.ApplyConfiguration, error)
}

func intended[O client.Object, A runtime.ApplyConfiguration](live O, intent A, extract func(O, string) (A, error)) object {
	return object{live: live, intent: intent, applied: func() (runtime.ApplyConfiguration, error) { return extract(live, FieldOwner) }}
}

// objects are all but plan and claim, in the order in which they need each other.
func (f *facts) objects(in render.Input) []object {
	c := &f.children
	objects := []object{
		intended(&c.account, render.ServiceAccount(in), corev1ac.ExtractServiceAccount),
		intended(&c.service, render.Service(in), corev1ac.ExtractService),
		intended(&c.policy, render.NetworkPolicy(in), networkingv1ac.ExtractNetworkPolicy),
		intended(&c.set, render.StatefulSet(in), appsv1ac.ExtractStatefulSet),
	}
	if pem, claim := f.authority(); pem != "" {
		objects = append(objects, intended(&c.ca, render.CAConfigMap(f.crm, pem, claim), corev1ac.ExtractConfigMap))
	}
	return objects
}

// authority is the CA to publish and the claim it belongs to: the one that is pinned, else the one that a dispatcher on this claim was first seen with.
func (f *facts) authority() (string, types.UID) {
	claim := f.children.claim.UID
	if pinned := f.pinnedCA(); pinned != "" {
		return pinned, claim
	}
	if o := f.observation; o.Failure == "" && claim != "" && o.Claim == claim {
		return o.CA, claim
	}
	return "", ""
}

// ensure applies an object unless everything that the operator owns of it is as intended. One that is being deleted is left alone: its end wakes the
// controller.
func (r *Reconciler) ensure(ctx context.Context, o object) error {
	if !exists(o.live) {
		// Without force: should a foreign object have appeared since gather looked, its fields are not taken over.
		err := r.Client.Apply(ctx, o.intent)
		if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return nil // the CRM is about to go with it
		}
		return err
	}
	if !o.live.GetDeletionTimestamp().IsZero() {
		return nil
	}
	applied, err := o.applied()
	if err != nil {
		return fmt.Errorf("read what was applied of %s: %w", o.live.GetName(), err)
	}
	if equality.Semantic.DeepEqual(o.intent, applied) {
		return nil
	}
	return r.Client.Apply(ctx, o.intent, client.ForceOwnership)
}

// writePlan writes the plan on condition that nobody else has since it was read: a manager that lost its leadership without knowing cannot undo a newer plan.
func (r *Reconciler) writePlan(ctx context.Context, f *facts, in render.Input) error {
	intent, err := render.PlanConfigMap(in)
	if err != nil {
		return err
	}
	live := &f.children.plan
	o := intended(live, intent, corev1ac.ExtractConfigMap)
	if exists(live) {
		applied, err := o.applied()
		if err == nil && equality.Semantic.DeepEqual(intent, applied) {
			return nil
		}
		intent.WithResourceVersion(live.ResourceVersion)
	}
	return r.ensure(ctx, o)
}

// remove deletes everything that was made for the CRM, the claim excepted.
func (r *Reconciler) remove(ctx context.Context, f *facts) error {
	c := &f.children
	var failures []error
	for _, o := range []client.Object{&c.set, &c.service, &c.policy, &c.plan, &c.ca, &c.account} {
		if !exists(o) || !o.GetDeletionTimestamp().IsZero() {
			continue
		}
		uid := o.GetUID()
		err := r.Client.Delete(ctx, o, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
		failures = append(failures, client.IgnoreNotFound(err))
	}
	return errors.Join(failures...)
}
