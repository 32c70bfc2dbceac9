// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/render"
)

// licenceInName is how much of a licence's hash tells two claims apart that would have the same name.
const licenceInName = 10

// chooseClaim finds the volume claim that holds the licence's ledger and backlog among those the operator made in the namespace: the one that the StatefulSet
// uses, else the one with the CRM's name, else the oldest. A claim of a CRM that had another name is adopted. When there is none it returns the name for a new
// one, which is the CRM's unless a kept claim of another licence has it.
func chooseClaim(crm *v1alpha1.CRM, set *appsv1.StatefulSet, claims []corev1.PersistentVolumeClaim) (corev1.PersistentVolumeClaim, string) {
	licence, name := plan.Licence(crm), plan.ChildName(crm)
	inUse := claimInUse(set)
	var candidates []corev1.PersistentVolumeClaim
	taken := false
	for _, claim := range claims {
		switch {
		case claim.Labels[v1alpha1.LabelLicence] == licence:
			candidates = append(candidates, claim)
		case claim.Name == name:
			taken = true
		}
	}
	if len(candidates) == 0 {
		if taken {
			name += "-" + licence[:licenceInName]
		}
		return corev1.PersistentVolumeClaim{}, name
	}
	best := slices.MinFunc(candidates, func(a, b corev1.PersistentVolumeClaim) int {
		return cmp.Or(
			first(a.Name == inUse, b.Name == inUse),
			first(a.Name == name, b.Name == name),
			a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return best, best.Name
}

// first orders true before false.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

func claimInUse(set *appsv1.StatefulSet) string {
	for _, volume := range set.Spec.Template.Spec.Volumes {
		if volume.PersistentVolumeClaim != nil {
			return volume.PersistentVolumeClaim.ClaimName
		}
	}
	return ""
}

const (
	reasonVolumeNotGrown = "VolumeNotGrown"
	actionGrow           = "Grow"

	// growthRetry is how long a refused growth is left alone: only an edit of the storage class would change the answer.
	growthRetry = 10 * time.Minute
)

// refusals remembers which claims may not grow, so that not every pass asks the API server again. The zero value is ready.
type refusals struct {
	mu    sync.Mutex
	until map[types.UID]time.Time
}

func (r *refusals) add(claim types.UID, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = make(map[types.UID]time.Time)
	}
	r.until[claim] = until
}

func (r *refusals) has(claim types.UID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.until[claim]) {
		return true
	}
	delete(r.until, claim)
	return false
}

// ensureClaim applies the claim. Growth is tried once the claim is bound; should it be refused the dispatcher goes on with the volume as it is.
func (r *Reconciler) ensureClaim(ctx context.Context, f *facts, in render.Input) error {
	claim := &f.children.claim
	if !exists(claim) {
		return r.ensure(ctx, intended(claim, render.Claim(in, nil, f.crm.Spec.Storage.Size), corev1ac.ExtractPersistentVolumeClaim))
	}
	applied, err := corev1ac.ExtractPersistentVolumeClaim(claim, FieldOwner)
	if err != nil {
		return fmt.Errorf("read what was applied of claim %s: %w", claim.Name, err)
	}
	withSize := func(size resource.Quantity) object {
		return intended(claim, render.Claim(in, applied, size), corev1ac.ExtractPersistentVolumeClaim)
	}
	requested, declared := claim.Spec.Resources.Requests[corev1.ResourceStorage], f.crm.Spec.Storage.Size
	grows := declared.Cmp(requested) > 0 && claim.Status.Phase == corev1.ClaimBound && !r.refused.has(claim.UID, r.Now())
	if !grows {
		return r.ensure(ctx, withSize(requested))
	}
	err = r.ensure(ctx, withSize(declared))
	if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
		return err
	}
	r.refused.add(claim.UID, r.Now().Add(growthRetry))
	r.Events.Event(f.crm, corev1.EventTypeWarning, reasonVolumeNotGrown, actionGrow,
		fmt.Sprintf("The volume stays at %s instead of %s: %v", requested.String(), declared.String(), err))
	return r.ensure(ctx, withSize(requested))
}
