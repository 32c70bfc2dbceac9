// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

func TestChooseClaim(t *testing.T) {
	crm := &v1alpha1.CRM{
		ObjectMeta: metav1.ObjectMeta{Name: "zendesk"},
		Spec:       v1alpha1.CRMSpec{Provider: v1alpha1.ProviderZendesk, Licence: v1alpha1.Licence{Account: "acme"}},
	}
	licence := plan.Licence(crm)
	born := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	claim := func(name, licence string, age time.Duration) corev1.PersistentVolumeClaim {
		return corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: "x", Labels: map[string]string{v1alpha1.LabelLicence: licence}, CreationTimestamp: metav1.NewTime(born.Add(-age)),
		}}
	}
	using := func(name string) *appsv1.StatefulSet {
		set := &appsv1.StatefulSet{}
		set.Spec.Template.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
		}}}
		return set
	}
	tests := map[string]struct {
		set    *appsv1.StatefulSet
		claims []corev1.PersistentVolumeClaim
		want   string
		found  bool
	}{
		"a new one gets the CRM's name": {want: "zendesk-crm-dispatcher"},
		"a kept claim of another licence keeps the name, the new one gets its licence's hash": {
			claims: []corev1.PersistentVolumeClaim{claim("zendesk-crm-dispatcher", "other", 0)},
			want:   "zendesk-crm-dispatcher-" + licence[:10],
		},
		"a claim of the licence under another name is adopted": {
			claims: []corev1.PersistentVolumeClaim{claim("zendesk-crm-dispatcher", "other", 0), claim("support-crm-dispatcher", licence, 0)},
			want:   "support-crm-dispatcher", found: true,
		},
		"of several the oldest": {
			claims: []corev1.PersistentVolumeClaim{claim("a", licence, time.Hour), claim("b", licence, 2*time.Hour)},
			want:   "b", found: true,
		},
		"before the oldest the one with the CRM's name": {
			claims: []corev1.PersistentVolumeClaim{claim("b", licence, time.Hour), claim("zendesk-crm-dispatcher", licence, 0)},
			want:   "zendesk-crm-dispatcher", found: true,
		},
		"before all the one that is in use": {
			set:    using("c"),
			claims: []corev1.PersistentVolumeClaim{claim("c", licence, 0), claim("b", licence, time.Hour), claim("zendesk-crm-dispatcher", licence, 0)},
			want:   "c", found: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			set := test.set
			if set == nil {
				set = &appsv1.StatefulSet{}
			}
			got, gotName := chooseClaim(crm, set, test.claims)
			if gotName != test.want || (got.UID != "") != test.found {
				t.Errorf("claim %s, there already: %v; want %s, %v", gotName, got.UID != "", test.want, test.found)
			}
		})
	}
}

func TestRefusedGrowthIsAskedForAgain(t *testing.T) {
	var r refusals
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	if r.has("claim", now) {
		t.Error("refused before anybody asked")
	}
	r.add("claim", now.Add(growthRetry))
	if !r.has("claim", now.Add(growthRetry-1)) {
		t.Error("asked again too early")
	}
	if r.has("claim", now.Add(growthRetry)) {
		t.Error("never asked again")
	}
}
