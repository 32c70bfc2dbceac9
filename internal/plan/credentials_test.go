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

// own gives an Integration credentials of its own.
func own(c v1alpha1.Credentials) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) { i.Spec.Credentials = c }
}

func bearerOf(secret string) v1alpha1.Credentials {
	return v1alpha1.Credentials{Bearer: &v1alpha1.BearerCredentials{SecretRef: v1alpha1.LocalReference{Name: secret}, TokenKey: "token"}}
}

func clientOf(tokenURL v1alpha1.TokenURL) v1alpha1.Credentials {
	return v1alpha1.Credentials{OAuthClient: &v1alpha1.OAuthClientCredentials{
		SecretRef: v1alpha1.LocalReference{Name: "oauth"}, TokenURL: tokenURL, ClientIDKey: "client-id", ClientSecretKey: "client-secret",
	}}
}

func TestCredentialsOfAnIntegrationsOwn(t *testing.T) {
	zoho := func(c *v1alpha1.CRM) {
		c.Spec.Provider, c.Spec.Endpoint, c.Spec.Licence.Account = "ZohoCRM", "https://www.zohoapis.eu", "acme"
	}
	for name, row := range map[string]struct {
		crm  func(*v1alpha1.CRM)
		own  v1alpha1.Credentials
		want *contract.Credentials
	}{
		"none":                       {nil, v1alpha1.Credentials{}, nil},
		"the very same as the CRM's": {nil, crm().Spec.Credentials, nil},
		"a token":                    {nil, bearerOf("marketing"), &contract.Credentials{Own: true, Secret: "marketing", Bearer: &contract.BearerKeys{Token: "token"}}},
		"a token for Zoho": {zoho, bearerOf("marketing"), &contract.Credentials{
			Own: true, Secret: "marketing", Scheme: "Zoho-oauthtoken", Bearer: &contract.BearerKeys{Token: "token"},
		}},
		"tokens from where the endpoint has them": {nil, clientOf(""), &contract.Credentials{
			Own: true, Secret: "oauth", OAuthClient: &contract.OAuthClientKeys{TokenURL: "https://acme.zendesk.com/oauth/tokens", ClientID: "client-id", ClientSecret: "client-secret"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := crm()
			if row.crm != nil {
				row.crm(c)
			}
			out := compile(c, nil, integration("a", own(row.own)))
			if d := decision(out, "a"); !d.OK() {
				t.Fatalf("%+v", d)
			}
			if diff := cmp.Diff(row.want, out.Plan.Integrations[0].Credentials); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCredentialsThatCannotBeUsed(t *testing.T) {
	perUser := func(c *v1alpha1.CRM) { c.Spec.Licence.Limits[0].Scope = v1alpha1.LimitScopeCredential }
	many := func(secret func(n int) string, n int) (all []v1alpha1.Integration) {
		for i := range n {
			all = append(all, integration(fmt.Sprintf("i%d", i), own(bearerOf(secret(i)))))
		}
		return all
	}
	each, one := func(n int) string { return fmt.Sprint("s", n) }, func(int) string { return "s" }
	keys := func(all []v1alpha1.Integration) []v1alpha1.Integration {
		for n := range all {
			all[n].Spec.Credentials.Bearer.SecretRef.Name = "s"
			all[n].Spec.Credentials.Bearer.TokenKey = v1alpha1.SecretKey(fmt.Sprint("k", n))
		}
		return all
	}
	for name, row := range map[string]struct {
		crm    func(*v1alpha1.CRM)
		beside []v1alpha1.Integration
		own    v1alpha1.Credentials
		reason string
		says   string
	}{
		"no token endpoint": {func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderGeneric, "acme" }, nil, clientOf(""),
			v1alpha1.ReasonUnusableCredentials, "credentials: tokenURL is required"},
		"a token endpoint in clear text":     {nil, nil, clientOf("http://acme.test/token"), v1alpha1.ReasonUnusableCredentials, "credentials: tokenURL must be https"},
		"63 other Secrets":                   {nil, many(each, 63), bearerOf("new"), v1alpha1.ReasonAccepted, ""},
		"64 other Secrets":                   {nil, many(each, 64), bearerOf("new"), v1alpha1.ReasonTooManyCredentials, "65 Secrets to mount, of at most 64"},
		"many with one Secret":               {nil, many(one, 300), bearerOf("new"), v1alpha1.ReasonAccepted, ""},
		"252 other users, each with a limit": {perUser, keys(many(one, 252)), bearerOf("new"), v1alpha1.ReasonAccepted, ""},
		"253 other users, each with a limit": {perUser, keys(many(one, 253)), bearerOf("new"), v1alpha1.ReasonTooManyCredentials, "257 limits to count, of at most 256"},
		"without such limits":                {nil, keys(many(one, 253)), bearerOf("new"), v1alpha1.ReasonAccepted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := crm()
			if row.crm != nil {
				row.crm(c)
			}
			previous := compile(c, nil, row.beside...).Plan
			got := decision(compile(c, previous, append(row.beside, integration("new", own(row.own)))...), "new")
			if got.Reason != row.reason || !strings.Contains(got.Message, row.says) {
				t.Errorf("%+v, want %s: %s", got, row.reason, row.says)
			}
		})
	}
}

// TestClientsThatBringTheirCredentials are in the plan by their hashes, and each is one user for the bound on limits.
func TestClientsThatBringTheirCredentials(t *testing.T) {
	brings := func(i *v1alpha1.Integration) {
		i.Spec.Clients = []v1alpha1.Client{{Name: "a", CRMCredentialHashes: []string{"sha256:" + strings.Repeat("a", 64)}}}
	}
	out := compile(crm(), nil, integration("a", brings), integration("b", brings, age(0)))
	want := []contract.Client{{Name: "a", CRMCredentialSHA256: []string{strings.Repeat("a", 64)}}}
	if diff := cmp.Diff(want, out.Plan.Integrations[0].Clients); diff != "" || len(out.Plan.Integrations) != 1 {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	if d := decision(out, "b"); d.Reason != v1alpha1.ReasonDuplicateClient {
		t.Errorf("another one with the same credential: %+v", d)
	}
	if got := out.Plan.Users(); len(got) != 2 || got[1] != contract.ClientUser("cc/a", "a") {
		t.Errorf("the users of the CRM are %q", got)
	}
}
