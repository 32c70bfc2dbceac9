// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

var update = flag.Bool("update", false, "write the golden files")

func input(edit func(*Input)) Input {
	in := Input{
		CRM: &v1alpha1.CRM{
			ObjectMeta: metav1.ObjectMeta{Name: "zendesk", Namespace: "contact-centre", UID: "11111111-2222-3333-4444-555555555555"},
			Spec: v1alpha1.CRMSpec{
				Credentials: v1alpha1.Credentials{Basic: &v1alpha1.BasicCredentials{SecretRef: v1alpha1.LocalReference{Name: "zendesk-credentials"}}},
				Storage:     v1alpha1.Storage{Size: resource.MustParse("1Gi")},
				Deletion:    v1alpha1.Deletion{Policy: v1alpha1.DeletionPolicyRetain},
			},
		},
		Plan: &contract.Plan{
			Schema: contract.PlanSchema, Sequence: 7, Endpoint: "https://acme.zendesk.com",
			CRM:         contract.CRMIdentity{Namespace: "contact-centre", Name: "zendesk", Provider: "Zendesk", Account: "acme"},
			Credentials: contract.Credentials{Basic: &contract.BasicKeys{Username: "username", Password: "password"}},
			Intake:      contract.Intake{URL: "https://zendesk-crm-dispatcher.contact-centre.svc", Hosts: []string{"zendesk-crm-dispatcher.contact-centre.svc"}},
			Limits:      []contract.Limit{{Name: "minute", Calls: 400, WindowSeconds: 60}},
			Enforce:     true,
		},
		Image:            "localhost/crm-quota-operator:dev",
		ManagerNamespace: "crm-quota-system",
		ClaimName:        "zendesk-crm-dispatcher",
		Licence:          "0123456789abcdef",
	}
	edit(&in)
	return in
}

func TestObjectsOfADispatcher(t *testing.T) {
	tests := map[string]struct {
		golden string
		edit   func(*Input)
	}{
		"Retain: all but the claim go with the CRM": {"retain.yaml", func(*Input) {}},
		"Drain: nothing goes with the CRM; HTTP inside the cluster": {"drain-http.yaml", func(in *Input) {
			in.CRM.Spec.Deletion.Policy = v1alpha1.DeletionPolicyDrain
			in.Plan.Intake.PlainHTTP = true
			in.Plan.Endpoint = "http://crmsim.crm-simulator.svc:8080"
			in.ManagerNamespace = ""
		}},
		"Discard: the claim goes too; certificate, storage class and encryption given": {"discard-tls.yaml", func(in *Input) {
			in.CRM.Spec.Deletion.Policy = v1alpha1.DeletionPolicyDiscard
			in.CRM.Spec.Credentials = v1alpha1.Credentials{Bearer: &v1alpha1.BearerCredentials{SecretRef: v1alpha1.LocalReference{Name: "token"}}}
			in.CRM.Spec.Intake.TLSSecretRef = &v1alpha1.LocalReference{Name: "zendesk-tls"}
			in.CRM.Spec.Storage.StorageClassName = "fast"
			in.CRM.Spec.Storage.Encryption = &v1alpha1.Encryption{SecretRef: v1alpha1.LocalReference{Name: "zendesk-encryption"}}
			in.Plan.Intake.CertificateFromSecret = true
			in.Plan.Endpoint = "https://10.1.2.3:9443"
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(test.edit)
			planMap, err := PlanConfigMap(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(in.Plan, ParsePlan(planMap.Data)); diff != "" {
				t.Errorf("the plan read back differs (-written +read):\n%s", diff)
			}
			objects := []any{
				ServiceAccount(in), planMap, Claim(in, nil, in.CRM.Spec.Storage.Size), StatefulSet(in), Service(in), NetworkPolicy(in),
				CAConfigMap(in.CRM, "-----BEGIN CERTIFICATE-----\n", "claim-uid"),
			}
			golden(t, test.golden, objects)
		})
	}
}

func golden(t *testing.T, name string, objects []any) {
	t.Helper()
	var got bytes.Buffer
	for _, object := range objects {
		document, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString("---\n")
		got.Write(document)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s differs (-golden +rendered); run go test ./internal/render -update if that is meant:\n%s", path, diff)
	}
}

func TestClaimKeepsTheClassItWasMadeWith(t *testing.T) {
	size := resource.MustParse("1Gi")
	fast := Claim(input(func(in *Input) { in.CRM.Spec.Storage.StorageClassName = "fast" }), nil, size)
	for _, declared := range []string{"", "slow"} {
		in := input(func(in *Input) { in.CRM.Spec.Storage.StorageClassName = declared })
		if class := Claim(in, fast, size).Spec.StorageClassName; class == nil || *class != "fast" {
			t.Errorf("with class %q declared it is %v, want fast: a claim's class cannot be changed", declared, class)
		}
	}
}

func TestParsePlanRefuses(t *testing.T) {
	tests := map[string]map[string]string{
		"a ConfigMap without a plan": nil,
		"what is not JSON":           {PlanKey: "{"},
		"another schema":             {PlanKey: `{"schema": 99}`},
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ParsePlan(data); got != nil {
				t.Errorf("got %+v, want none", got)
			}
		})
	}
}

func TestClusterHosts(t *testing.T) {
	tests := map[string]bool{
		"crmsim":                           true,
		"crmsim.demo.svc":                  true,
		"crmsim.demo.svc.cluster.local":    true,
		"acme.zendesk.com":                 false,
		"10.0.0.1":                         false,
		"svc.example.com":                  false,
		"login.my.svcdesk.example.invalid": false,
	}
	for host, want := range tests {
		if got := isClusterHost(host); got != want {
			t.Errorf("%s: in the cluster %v, want %v", host, got, want)
		}
	}
}

// TestOtherEndpointsPortsAreOpen: the token endpoint's and the collector's, in addition to the CRM's and only if they are others.
func TestOtherEndpointsPortsAreOpen(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint, tokenURL, collector string
		rules                         int
	}{
		"none":                         {"https://acme.test", "", "", 2},
		"at the same port":             {"https://acme.test", "https://login.test/token", "", 2},
		"at another":                   {"https://acme.test", "https://login.test:8443/token", "", 3},
		"in the cluster":               {"https://acme.test", "https://idp.auth.svc/token", "", 3},
		"the CRM in the cluster alone": {"http://crmsim.demo.svc:8080", "http://1.2.3.4:8080/token", "", 3},
		"both in the cluster":          {"http://crmsim.demo.svc:8080", "http://idp.auth.svc:9090/token", "", 2},
		"a collector in the cluster":   {"https://acme.test", "", "http://otel-collector.observability:4318", 3},
		"a collector outside":          {"https://acme.test", "https://login.test:8443/token", "https://otel.test:4318", 4},
		"token endpoint and collector in the cluster": {"https://acme.test", "https://idp.auth.svc/token", "http://otel:4318", 3},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(func(in *Input) {
				in.Plan.Endpoint = c.endpoint
				if c.collector != "" {
					in.Plan.Tracing = &contract.Tracing{Endpoint: c.collector}
				}
				if c.tokenURL != "" {
					in.Plan.Credentials = contract.Credentials{OAuthClient: &contract.OAuthClientKeys{TokenURL: c.tokenURL}}
				}
			})
			if rules := len(NetworkPolicy(in).Spec.Egress); rules != c.rules {
				t.Errorf("%d rules let out, want %d", rules, c.rules)
			}
		})
	}
}

// TestSecretsOfIntegrationsAreMountedOnce each, beside the CRM's, and the ports of their token endpoints and receivers are open.
func TestSecretsOfIntegrationsAreMountedOnce(t *testing.T) {
	token := func(secret string) *contract.Credentials {
		return &contract.Credentials{Own: true, Secret: secret, Bearer: &contract.BearerKeys{Token: "token"}}
	}
	client := token("oauth.marketing")
	client.Bearer, client.OAuthClient = nil, &contract.OAuthClientKeys{TokenURL: "https://login.test:8443/token"}
	in := input(func(in *Input) {
		in.Plan.Integrations = []contract.Integration{{Name: "a", Credentials: token("b")}, {Name: "b", Credentials: token("b")}, {Name: "c"}, {Name: "d", Credentials: client},
			{Name: "e", Callbacks: &contract.Callbacks{Secret: "keys", Endpoints: []contract.CallbackEndpoint{{URL: "https://app.test:9443/results"}, {URL: "https://app.test"}}}},
			{Name: "f", Callbacks: &contract.Callbacks{Secret: "b", Endpoints: []contract.CallbackEndpoint{{URL: "http://adapter.contact-centre.svc/results"}}}},
		}
	})
	pod := StatefulSet(in).Spec.Template.Spec
	secrets := map[string]string{} // by volume
	for _, v := range pod.Volumes {
		if v.Secret == nil {
			continue
		}
		if !*v.Secret.Optional {
			t.Errorf("without Secret %s the pod would not start", *v.Secret.SecretName)
		}
		secrets[*v.Name] = *v.Secret.SecretName
	}
	got := map[string]string{}
	for _, m := range pod.Containers[0].VolumeMounts {
		if secret, is := secrets[*m.Name]; is {
			got[*m.MountPath] = secret
		}
	}
	want := map[string]string{
		"/etc/crmquota/credentials": "zendesk-credentials", "/etc/crmquota/own-credentials/b": "b", "/etc/crmquota/own-credentials/oauth.marketing": "oauth.marketing",
		"/etc/crmquota/own-credentials/keys": "keys",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
	if len(secrets) != len(want) {
		t.Errorf("volumes %v", secrets)
	}
	if rules := len(NetworkPolicy(in).Spec.Egress); rules != 5 {
		t.Errorf("%d rules let out, want 5", rules)
	}
}

// TestSecretOfEachKindIsMounted, and no other.
func TestSecretOfEachKindIsMounted(t *testing.T) {
	ref := v1alpha1.LocalReference{Name: "mounted"}
	for name, c := range map[string]v1alpha1.Credentials{
		"basic":        {Basic: &v1alpha1.BasicCredentials{SecretRef: ref}},
		"bearer":       {Bearer: &v1alpha1.BearerCredentials{SecretRef: ref}},
		"header":       {Header: &v1alpha1.HeaderCredentials{SecretRef: ref}},
		"oauthClient":  {OAuthClient: &v1alpha1.OAuthClientCredentials{SecretRef: ref}},
		"oauthRefresh": {OAuthRefresh: &v1alpha1.OAuthRefreshCredentials{SecretRef: ref}},
		"oauthJWT":     {OAuthJWT: &v1alpha1.OAuthJWTCredentials{SecretRef: ref}},
	} {
		if got := plan.CredentialsSecret(c); got != "mounted" {
			t.Errorf("%s mounts %q", name, got)
		}
	}
}
