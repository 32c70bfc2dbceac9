// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/testenv"
)

// managerUser is whom every manager of these tests works as, with the rights that config/rbac grants and no others.
const managerUser = "system:serviceaccount:crm-quota-system:crm-quota-manager"

// asManager makes a configuration act as the manager's service account.
func asManager(config *rest.Config) {
	config.Impersonate = rest.ImpersonationConfig{UserName: managerUser, Groups: []string{"system:serviceaccounts", "system:authenticated"}}
}

// grantRights installs the manager's role, once for all tests.
func grantRights(t *testing.T, c client.Client) {
	t.Helper()
	role := managerRole(t)
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: managerUser}},
	}
	for _, o := range []client.Object{role, binding} {
		if err := client.IgnoreAlreadyExists(c.Create(t.Context(), o)); err != nil {
			t.Fatal(err)
		}
	}
}

func managerRole(t *testing.T) *rbacv1.ClusterRole {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(testenv.Root(), "config", "rbac", "role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(content, role); err != nil {
		t.Fatal(err)
	}
	return role
}

// TestRightsAreUsed: in the life of one CRM the manager does everything that it may do. That it may do all that it does, every test shows.
func TestRightsAreUsed(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(withPolicy(v1alpha1.DeletionPolicyDrain, 3600))
	app := w.integration("app", nil)
	fake := w.kubelet()
	w.ready(crm)
	w.ready(app)
	fake.Edit(func(r *contract.Report) { r.Backlog.Queued = 1 })
	w.delete(crm)
	w.condition(crm, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDraining)
	fake.Edit(func(r *contract.Report) { r.Backlog.Queued = 0 })
	w.gone(crmName, &v1alpha1.CRM{})
	w.gone(childName, &corev1.Service{})

	limited := rest.CopyConfig(config)
	asManager(limited)
	if err := testenv.Client(t, limited).List(t.Context(), &corev1.SecretList{}); !apierrors.IsForbidden(err) {
		t.Errorf("the manager's user lists Secrets: %v", err)
	}

	used := w.manager.requests.usedRights()
	// An event is patched when it happens again, which is left to chance here.
	used["patch events.k8s.io/events"] = true
	for _, rule := range managerRole(t).Rules {
		for _, right := range rightsOf(rule) {
			if strings.Contains(right, "*") || strings.Contains(right, "secrets") {
				t.Errorf("%q must not be granted", right)
			}
			if !used[right] {
				t.Errorf("%q is granted and not used; used are:\n%s", right, strings.Join(slices.Sorted(maps.Keys(used)), "\n"))
			}
		}
	}
}

// rightsOf are the single rights of a rule.
func rightsOf(rule rbacv1.PolicyRule) []string {
	var rights []string
	for _, verb := range rule.Verbs {
		for _, url := range rule.NonResourceURLs {
			rights = append(rights, verb+" "+url)
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				rights = append(rights, verb+" "+group+"/"+resource)
			}
		}
	}
	return rights
}
