// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/index"
	"github.com/crmquota/crm-quota-operator/controllers/usage"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/render"
)

// facts is all that a pass knows. Nothing in it changes after gather, and nothing is read a second time.
type facts struct {
	crm          *v1alpha1.CRM
	integrations []v1alpha1.Integration
	children     children
	// holder is another CRM that holds the licence.
	holder *types.NamespacedName
	// nameTaken is kind and name of a foreign object in the way.
	nameTaken   string
	previous    *contract.Plan
	issuers     []contract.TokenIssuer
	observation usage.Observation
}

// children are the objects made for the CRM, as the cache has them. One that is not there has no UID.
type children struct {
	account corev1.ServiceAccount
	plan    corev1.ConfigMap
	ca      corev1.ConfigMap
	set     appsv1.StatefulSet
	service corev1.Service
	policy  networkingv1.NetworkPolicy
	pod     corev1.Pod
	// claim in use, or to be used; claimName when there is none yet.
	claim     corev1.PersistentVolumeClaim
	claimName string
}

func exists(o client.Object) bool { return o.GetUID() != "" }

// +kubebuilder:rbac:groups="",resources=serviceaccounts;configmaps;services;persistentvolumeclaims,verbs=get;list;watch
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=get;list;watch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch

// gather makes every read of a pass.
func (r *Reconciler) gather(ctx context.Context, crm *v1alpha1.CRM) (*facts, error) {
	f := &facts{crm: crm, observation: r.Usage.Await(client.ObjectKeyFromObject(crm))}
	var integrations v1alpha1.IntegrationList
	if err := r.Client.List(ctx, &integrations, client.InNamespace(crm.Namespace), client.MatchingFields{index.IntegrationCRM: crm.Name}); err != nil {
		return nil, err
	}
	f.integrations = integrations.Items

	var same v1alpha1.CRMList
	if err := r.Client.List(ctx, &same, client.MatchingFields{index.CRMLicence: plan.Licence(crm)}); err != nil {
		return nil, err
	}
	f.holder = plan.Holder(crm, same.Items)

	if err := r.gatherChildren(ctx, f); err != nil {
		return nil, err
	}
	f.previous = render.ParsePlan(f.children.plan.Data)
	f.issuers = r.Issuer.Current()
	if len(f.issuers) == 0 && f.previous != nil {
		f.issuers = f.previous.TokenIssuers
	}
	if f.holder == nil && crm.DeletionTimestamp.IsZero() {
		var err error
		if f.nameTaken, err = r.foreign(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (r *Reconciler) gatherChildren(ctx context.Context, f *facts) error {
	c, name := &f.children, plan.ChildName(f.crm)
	for _, child := range []struct {
		name string
		into client.Object
	}{
		{name, &c.account}, {name, &c.plan}, {plan.CAConfigMapName(f.crm), &c.ca}, {name, &c.set}, {name, &c.service}, {name, &c.policy}, {name + "-0", &c.pod},
	} {
		err := r.Client.Get(ctx, client.ObjectKey{Namespace: f.crm.Namespace, Name: child.name}, child.into)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	var claims corev1.PersistentVolumeClaimList
	if err := r.Client.List(ctx, &claims, client.InNamespace(f.crm.Namespace)); err != nil {
		return err
	}
	c.claim, c.claimName = chooseClaim(f.crm, &c.set, claims.Items)
	return nil
}

// foreign looks for objects that are in the way: they have the name of one that must be made, and the caches, which hold only what the operator made, lack
// them. It asks the API server, once per object that is missing.
func (r *Reconciler) foreign(ctx context.Context, f *facts) (string, error) {
	c, name := &f.children, plan.ChildName(f.crm)
	for _, child := range []struct {
		name string
		live client.Object
	}{
		{name, &c.account}, {name, &c.plan}, {plan.CAConfigMapName(f.crm), &c.ca}, {name, &c.set}, {name, &c.service}, {name, &c.policy}, {c.claimName, &c.claim},
	} {
		if exists(child.live) {
			continue
		}
		gvk, err := apiutil.GVKForObject(child.live, r.Client.Scheme())
		if err != nil {
			return "", err
		}
		found := &metav1.PartialObjectMetadata{}
		found.SetGroupVersionKind(gvk)
		err = r.Live.Get(ctx, client.ObjectKey{Namespace: f.crm.Namespace, Name: child.name}, found)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return "", err
		case found.Labels[render.LabelManagedBy] == render.ManagedBy:
			return "", fmt.Errorf("%s %s has just been made: the cache does not have it yet", gvk.Kind, child.name)
		default:
			return gvk.Kind + " " + child.name, nil
		}
	}
	return "", nil
}

// input is what the plan is compiled from.
func (f *facts) input(settings Settings, now time.Time) plan.Input {
	return plan.Input{
		CRM: f.crm, Integrations: f.integrations,
		LicenceHolder: f.holder, NameTaken: f.nameTaken,
		Issuers: f.issuers, ReportReader: settings.ReportReader,
		Previous: f.previous, ReportedSequence: f.reportedSequence(now),
		Ledger: plan.Ledger{
			Report: f.observation.Report, Former: f.observation.Former, FormerAt: f.observation.FormerTime,
			PublishedAt: lastWrite(f.crm.ManagedFields, "status"),
		},
		Deleting: !f.crm.DeletionTimestamp.IsZero(), Now: now,
	}
}

// reportedSequence is the highest that the dispatcher is known to have seen. Without a plan to go on from it is the time: the volume that the dispatcher gets
// may be a kept one, and its plan older than any that starts now.
func (f *facts) reportedSequence(now time.Time) int64 {
	var reported int64
	if report := f.observation.Report; report != nil {
		reported = report.Sequence
	}
	if f.previous == nil {
		reported = max(reported, now.Unix())
	}
	return reported
}

// lastWrite is when the operator last changed an object, or a subresource of it; zero if it never did.
func lastWrite(fields []metav1.ManagedFieldsEntry, subresource string) time.Time {
	for _, entry := range fields {
		if entry.Manager == FieldOwner && entry.Subresource == subresource && entry.Time != nil {
			return entry.Time.Time
		}
	}
	return time.Time{}
}

// podReady says whether the dispatcher's pod is ready, podReachable whether it runs and has an address.
func (f *facts) podReady() bool {
	pod := &f.children.pod
	if !exists(pod) || !pod.DeletionTimestamp.IsZero() {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (f *facts) podReachable() bool {
	pod := &f.children.pod
	return exists(pod) && pod.DeletionTimestamp.IsZero() && pod.Status.Phase == corev1.PodRunning && pod.Status.PodIP != ""
}

// pinnedCA is the CA that was published for the claim in use; empty if there is none yet.
func (f *facts) pinnedCA() string {
	c := &f.children
	if !exists(&c.ca) || !exists(&c.claim) || c.ca.Annotations[render.AnnotationClaimUID] != string(c.claim.UID) {
		return ""
	}
	return c.ca.Data[render.CAKey]
}
