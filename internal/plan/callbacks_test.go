// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// tells has an Integration's receiver told, with a key from a Secret.
func tells(secret string) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) {
		i.Spec.Callbacks = v1alpha1.Callbacks{
			SecretRef: v1alpha1.LocalReference{Name: secret}, Endpoints: []v1alpha1.CallbackEndpoint{{Name: "app", URL: "https://app.example.com/results"}},
		}
	}
}

func TestCallbacksAreInThePlan(t *testing.T) {
	out := compile(crm(), nil, integration("a", tells("keys")), integration("b"))
	want := map[string]*contract.Callbacks{
		"a": {Secret: "keys", Endpoints: []contract.CallbackEndpoint{{Name: "app", URL: "https://app.example.com/results"}}}, "b": nil,
	}
	got := map[string]*contract.Callbacks{}
	for _, i := range out.Plan.Integrations {
		got[i.Name] = i.Callbacks
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSecretsOfCallbacksAreBounded together with those of credentials: each is mounted.
func TestSecretsOfCallbacksAreBounded(t *testing.T) {
	var beside []v1alpha1.Integration
	for n := range contract.MaxOwnSecrets {
		beside = append(beside, integration(fmt.Sprint("i", n), own(bearerOf(fmt.Sprint("s", n)))))
	}
	previous := compile(crm(), nil, beside...).Plan
	if got := decision(compile(crm(), previous, append(beside, integration("new", tells("s0")))...), "new"); !got.OK() {
		t.Errorf("with a Secret that is mounted already: %+v", got)
	}
	got := decision(compile(crm(), previous, append(beside, integration("new", tells("keys")))...), "new")
	if got.Reason != v1alpha1.ReasonTooManyCredentials || !strings.Contains(got.Message, "65 Secrets to mount, of at most 64") {
		t.Errorf("with one more: %+v", got)
	}
}
