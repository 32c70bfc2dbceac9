// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"context"
	"net"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/controllers/compiled"
	"github.com/crmquota/crm-quota-operator/controllers/usage"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// follow keeps the collector asking the pod that runs now for the plan that is written now.
func (r *Reconciler) follow(ctx context.Context, f *facts, output plan.Output) {
	key := client.ObjectKeyFromObject(f.crm)
	switch {
	case output.Plan == nil:
		r.Usage.Forget(key)
	case !f.podReachable() || !exists(&f.children.claim):
		r.Usage.Pause(key)
	default:
		r.Usage.Follow(ctx, key, usage.Target{
			Address:    net.JoinHostPort(f.children.pod.Status.PodIP, strconv.Itoa(contract.ReportPort)),
			ServerName: plan.IntakeHost(f.crm),
			Claim:      f.children.claim.UID,
			CA:         f.pinnedCA(),
			Sequence:   output.Plan.Sequence,
		})
	}
}

// publish hands the decisions to the Integrations' controller and writes the CRM's status. It returns when to come again.
func (r *Reconciler) publish(ctx context.Context, f *facts, output plan.Output) (time.Duration, error) {
	entry := &compiled.Entry{Output: output, Seen: make(map[types.UID]int64), PodReady: f.podReady(), CAConfigMap: f.caConfigMap(output)}
	for i := range f.integrations {
		entry.Seen[f.integrations[i].UID] = f.integrations[i].Generation
	}
	r.Board.Publish(ctx, client.ObjectKeyFromObject(f.crm), entry)

	now := r.Now()
	result := status.ForCRM(status.CRMFacts{
		CRM: f.crm, Compiled: output,
		PodReady:     entry.PodReady,
		Claim:        f.claimPhase(),
		Reported:     f.observation.Reported(),
		PendingSince: r.Status.PendingSince(f.crm, f.confirmed()),
		CAConfigMap:  entry.CAConfigMap,
		NumbersAt:    r.Status.NumbersAt(f.crm),
		Evidence:     r.Status.Evidence(f.crm),
	}, f.crm.Status, now)
	recheck, err := r.Status.CRM(ctx, f.crm, result)
	for _, wait := range []time.Duration{output.RecheckAfter, f.nextLook(output.Plan, now)} {
		recheck = sooner(recheck, wait)
	}
	return recheck, err
}

// nextLook is when to come again for what no event tells; 0 for never.
func (f *facts) nextLook(plan *contract.Plan, now time.Time) time.Duration {
	var wait time.Duration
	if f.nameTaken != "" {
		wait = nameTakenPeriod
	}
	if f.behind(plan) {
		wait = sooner(wait, mountRetry)
	}
	if deleted := f.crm.DeletionTimestamp; !deleted.IsZero() {
		timeout := time.Duration(f.crm.Spec.Deletion.DrainTimeoutSeconds) * time.Second
		wait = sooner(wait, min(drainPeriod, max(time.Millisecond, deleted.Add(timeout).Sub(now))))
	}
	return wait
}

// confirmed says whether the dispatcher enforces this generation of the CRM.
func (f *facts) confirmed() bool {
	report := f.observation.Report
	return report != nil && report.CRMUID == string(f.crm.UID) && report.Generation == f.crm.Generation
}

func (f *facts) claimPhase() corev1.PersistentVolumeClaimPhase {
	if !exists(&f.children.claim) {
		return ""
	}
	return f.children.claim.Status.Phase
}

// caConfigMap names the ConfigMap with the CA that clients of the intake need; none with a certificate of the user's own or in clear text.
func (f *facts) caConfigMap(output plan.Output) string {
	pem, _ := f.authority()
	if pem == "" || output.Plan == nil || output.Plan.Intake.PlainHTTP || output.Plan.Intake.CertificateFromSecret {
		return ""
	}
	return plan.CAConfigMapName(f.crm)
}

// sooner of two waits, of which 0 means never.
func sooner(a, b time.Duration) time.Duration {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	default:
		return min(a, b)
	}
}
