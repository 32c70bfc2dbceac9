// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/crmquota/crm-quota-operator/internal/testenv"
)

// crdFiles are the generated CRDs.
func crdFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testenv.CRDDir(), "*.yaml"))
	if err != nil || len(files) != 2 {
		t.Fatalf("found CRDs %v (%v); want two", files, err)
	}
	return files
}

func TestCRDsStaySmallEnoughForClientSideApply(t *testing.T) {
	const most = 200 << 10 // an annotation takes 256 KiB
	for _, file := range crdFiles(t) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() >= most {
			t.Errorf("%s has %d bytes; it must stay below %d", filepath.Base(file), info.Size(), most)
		}
	}
}

func TestCRDsApplyServerSideAndAreStructural(t *testing.T) {
	c := testenv.Client(t, config)
	for _, file := range crdFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(text, &u.Object); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("kubectl"), client.ForceOwnership); err != nil {
			t.Fatalf("applying %s: %v", file, err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		raw := &unstructured.Unstructured{}
		raw.SetGroupVersionKind(u.GroupVersionKind())
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(u), raw); err != nil {
			t.Fatal(err)
		}
		encoded, err := yaml.Marshal(raw.Object)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(encoded, crd); err != nil {
			t.Fatal(err)
		}
		for _, condition := range crd.Status.Conditions {
			bad := condition.Type == apiextensionsv1.NonStructuralSchema && condition.Status == apiextensionsv1.ConditionTrue ||
				condition.Type == apiextensionsv1.Established && condition.Status != apiextensionsv1.ConditionTrue
			if bad {
				t.Errorf("%s: %s is %s: %s", crd.Name, condition.Type, condition.Status, condition.Message)
			}
		}
	}
}

func TestUnknownFieldsAreRefusedUnderStrictValidation(t *testing.T) {
	c := client.WithFieldValidation(testenv.Client(t, config), metav1.FieldValidationStrict)
	namespace := testenv.Namespace(t, c)
	for name, row := range map[string]struct{ base, path string }{
		"a CRM's misspelt field is refused":          {validCRM, "spec.enforcment"},
		"an Integration's misspelt field is refused": {validIntegration, "spec.overflow.que"},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, c.Create(t.Context(), manifest(t, row.base, namespace, edits{row.path: "x"}), client.DryRunAll), `unknown field "`+row.path+`"`)
		})
	}
}

func TestDefaults(t *testing.T) {
	c := testenv.Client(t, config)
	namespace := testenv.Namespace(t, c)
	for name, row := range map[string]struct {
		base  string
		edits edits
		want  string
	}{
		"a CRM gets every default": {validCRM, edits{
			"spec.licence.limits":      list(map[string]any{"name": "day", "calls": 5, "calendar": map[string]any{"unit": "Day"}}),
			"spec.deletion":            map[string]any{},
			"spec.intake.tlsSecretRef": map[string]any{"name": "tls"},
		}, `
provider: Zendesk
endpoint: https://acme.zendesk.com
network: Public
credentials: {basic: {secretRef: {name: zendesk-api}, usernameKey: username, passwordKey: password}}
licence: {limits: [{name: day, calls: 5, calendar: {unit: Day}, scope: Account, onExhaustion: Stop}], externalPercent: 0, afterLedgerLoss: Bounded, limitSource: Lowest}
enforcement: Enforce
dispatch: Run
intake: {scheme: HTTPS, tlsSecretRef: {name: tls}}
storage: {size: 1Gi}
deletion: {policy: Retain, drainTimeoutSeconds: 600}
`},
		"bearer and header get their keys": {validCRM, edits{
			"spec.licence.limits": list(map[string]any{"name": "inflight", "concurrent": 2}),
			"spec.credentials":    map[string]any{"bearer": map[string]any{"secretRef": map[string]any{"name": "s"}}},
		}, `
provider: Zendesk
endpoint: https://acme.zendesk.com
network: Public
credentials: {bearer: {secretRef: {name: s}, tokenKey: token}}
licence: {limits: [{name: inflight, concurrent: 2, scope: Account, onExhaustion: Stop}], externalPercent: 0, afterLedgerLoss: Bounded, limitSource: Lowest}
enforcement: Enforce
dispatch: Run
intake: {scheme: HTTPS}
storage: {size: 1Gi}
deletion: {policy: Retain, drainTimeoutSeconds: 600}
`},
		"OAuth kinds get their keys": {validCRM, edits{
			"spec.licence.limits": list(map[string]any{"name": "inflight", "concurrent": 2}),
			"spec.credentials":    map[string]any{"oauthRefresh": map[string]any{"secretRef": map[string]any{"name": "s"}}},
		}, `
provider: Zendesk
endpoint: https://acme.zendesk.com
network: Public
credentials: {oauthRefresh: {secretRef: {name: s}, clientIDKey: client-id, clientSecretKey: client-secret, refreshTokenKey: refresh-token}}
licence: {limits: [{name: inflight, concurrent: 2, scope: Account, onExhaustion: Stop}], externalPercent: 0, afterLedgerLoss: Bounded, limitSource: Lowest}
enforcement: Enforce
dispatch: Run
intake: {scheme: HTTPS}
storage: {size: 1Gi}
deletion: {policy: Retain, drainTimeoutSeconds: 600}
`},
		"an Integration gets every default but an overflow": {validIntegration, edits{"spec.share": nil, "spec.overflow": nil}, `
crmRef: {name: zendesk}
route: Dispatched
share: {weight: 1, maxPercent: 100, lendPercent: 50, reclaim: Immediate}
priority: Standard
priorityHeader: Ignore
clients: [{name: adapter, serviceAccount: {name: ccai-adapter}}]
enforcement: Enforce
`},
		"an overflow and an override get every default": {validIntegration, edits{"spec.overflow": map[string]any{}, "spec.overrides": list(map[string]any{
			"name": "friday", "from": "2026-11-27T00:00:00Z", "until": "2026-11-28T00:00:00Z", "share": map[string]any{},
		})}, `
crmRef: {name: zendesk}
route: Dispatched
share: {guaranteedPercent: 60, weight: 3, maxPercent: 100, lendPercent: 50, reclaim: Immediate}
overrides:
- name: friday
  from: "2026-11-27T00:00:00Z"
  until: "2026-11-28T00:00:00Z"
  share: {weight: 1, maxPercent: 100, lendPercent: 50, reclaim: Immediate}
priority: Standard
priorityHeader: Ignore
overflow: {policy: Wait, waitSeconds: 8, queue: {maxCalls: 1000, maxBytes: 128Mi, maxAgeSeconds: 86400}}
clients: [{name: adapter, serviceAccount: {name: ccai-adapter}}]
enforcement: Enforce
`},
	} {
		t.Run(name, func(t *testing.T) {
			stored := manifest(t, row.base, namespace, row.edits)
			if err := c.Create(t.Context(), stored, client.DryRunAll); err != nil {
				t.Fatal(err)
			}
			var want, got any
			if err := yaml.UnmarshalStrict([]byte(row.want), &want); err != nil {
				t.Fatal(err)
			}
			encoded, err := yaml.Marshal(stored.Object["spec"])
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(encoded, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("defaulted spec (-want +got):\n%s", diff)
			}
		})
	}
}
