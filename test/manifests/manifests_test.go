// SPDX-License-Identifier: Apache-2.0

// Package manifests applies what users apply: the installation and the samples.
package manifests

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/testenv"
)

var config *rest.Config

func TestMain(m *testing.M) { os.Exit(testenv.Main(m, func(c *rest.Config) { config = c })) }

// TestApply builds each kustomization and applies it to a real API server, which validates every field strictly.
func TestApply(t *testing.T) {
	c := client.WithFieldValidation(testenv.Client(t, config), "Strict")
	// In this order: the samples need the CRDs, the demo builds on the samples.
	for _, dir := range []string{"config/default", "config/samples", "config/samples/callbacks", "config/samples/oauth", "config/samples/crms", "config/samples/observe", "config/demo"} {
		t.Run(dir, func(t *testing.T) {
			objects := build(t, dir)
			if len(objects) == 0 {
				t.Fatal("the kustomization is empty")
			}
			for _, object := range objects {
				err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"), client.ForceOwnership)
				if err != nil {
					t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
				}
			}
		})
	}
	t.Run("the samples fit together", func(t *testing.T) { fitTogether(t, c) })
	t.Run("the OAuth samples are accepted", func(t *testing.T) { compileEach(t, c) })
	t.Run("what is only observed is accepted", func(t *testing.T) { observed(t, c) })
	t.Run("there is a sample of each CRM", func(t *testing.T) { oneOfEach(t, c) })
}

// compileEach compiles the CRMs of the OAuth samples: each has a token endpoint on its Secret's list of hosts.
func compileEach(t *testing.T, c client.Client) {
	t.Helper()
	var crms v1alpha1.CRMList
	if err := c.List(t.Context(), &crms, client.InNamespace("crm-oauth")); err != nil {
		t.Fatal(err)
	}
	if len(crms.Items) != 3 {
		t.Errorf("there are %d CRMs, want one of each kind", len(crms.Items))
	}
	for i := range crms.Items {
		crm := &crms.Items[i]
		out := plan.Compile(plan.Input{CRM: crm, Now: time.Now()})
		if !out.CRM.OK() || out.Plan == nil {
			t.Errorf("CRM %s: %+v", crm.Name, out.CRM)
			continue
		}
		var secret corev1.Secret
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "crm-oauth", Name: out.Plan.Credentials.Secret}, &secret); err != nil {
			t.Error(err)
		}
		u, err := url.Parse(out.Plan.Credentials.TokenURL())
		if err != nil || !slices.Contains(strings.Fields(string(secret.Data["hosts"])), u.Hostname()) {
			t.Errorf("CRM %s: %s is not among the hosts %q: %v", crm.Name, out.Plan.Credentials.TokenURL(), secret.Data["hosts"], err)
		}
	}
}

// observed compiles the CRM that is only looked at.
func observed(t *testing.T, c client.Client) {
	t.Helper()
	in := plan.Input{CRM: &v1alpha1.CRM{}, Now: time.Now()}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "crm-observe", Name: "salesforce"}, in.CRM); err != nil {
		t.Fatal(err)
	}
	if out := plan.Compile(in); !out.CRM.OK() || !out.Plan.Observe || out.Plan.UsageSeconds != 300 {
		t.Errorf("CRM: %+v", out.CRM)
	}
}

// oneOfEach compiles the samples of the CRMs, one for each provider; each is the licence of its own account.
func oneOfEach(t *testing.T, c client.Client) {
	t.Helper()
	var crms v1alpha1.CRMList
	if err := c.List(t.Context(), &crms, client.InNamespace("crm-kinds")); err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, p := range provider.All() {
		missing[p.Name()] = true
	}
	for i := range crms.Items {
		crm := &crms.Items[i]
		delete(missing, string(crm.Spec.Provider))
		out := plan.Compile(plan.Input{CRM: crm, Now: time.Now()})
		if !out.CRM.OK() || out.Plan == nil || out.Plan.CRM.Account == "" {
			t.Errorf("CRM %s: %+v", crm.Name, out.CRM)
		}
	}
	if len(missing) > 0 {
		t.Errorf("there is no sample of %v", slices.Sorted(maps.Keys(missing)))
	}
}

// fitTogether compiles what was applied, with the API server's defaults, as the manager does.
func fitTogether(t *testing.T, c client.Client) {
	t.Helper()
	in := plan.Input{CRM: &v1alpha1.CRM{}, Now: time.Now()}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "contact-centre", Name: "zendesk"}, in.CRM); err != nil {
		t.Fatal(err)
	}
	var integrations v1alpha1.IntegrationList
	if err := c.List(t.Context(), &integrations, client.InNamespace("contact-centre")); err != nil {
		t.Fatal(err)
	}
	in.Integrations = integrations.Items
	out := plan.Compile(in)
	if !out.CRM.OK() {
		t.Errorf("CRM: %+v", out.CRM)
	}
	if len(out.Integrations) < 5 {
		t.Errorf("there are %d integrations, want the four samples and that with callbacks", len(out.Integrations))
	}
	for name, decision := range out.Integrations {
		if !decision.OK() {
			t.Errorf("%s: %+v", name, decision)
		}
	}
}

func build(t *testing.T, dir string) []*unstructured.Unstructured {
	t.Helper()
	kubectl := exec.CommandContext(t.Context(), filepath.Join(testenv.Root(), "bin/k8s/kubectl"), "kustomize", dir)
	kubectl.Dir = testenv.Root()
	out, err := kubectl.Output()
	if err != nil {
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("kubectl kustomize %s: %s", dir, failed.Stderr)
		}
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(out), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
}
