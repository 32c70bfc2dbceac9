// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

func TestWhatIsToldOfAnAPIIsInThePlan(t *testing.T) {
	c := crm(func(c *v1alpha1.CRM) {
		c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderGeneric, "acme"
		c.Spec.Generic = &v1alpha1.Generic{
			Refusals: []v1alpha1.RefusalRule{
				{
					Statuses: []v1alpha1.RefusalStatus{403, 420}, Scope: v1alpha1.RefusalScopeEndpoint,
					Member: &v1alpha1.MemberCondition{Path: "errors/*/code", Values: []v1alpha1.MemberValue{"BUSY"}},
					Wait:   &v1alpha1.TimeHeader{Header: "X-Reset", Unit: v1alpha1.ResetUnitUnixSeconds},
				},
				{Statuses: []v1alpha1.RefusalStatus{429}, Scope: v1alpha1.RefusalScopeLicence},
			},
			LimitHeaders: v1alpha1.LimitHeaders{Limit: "X-Limit", Remaining: "X-Left", Reset: &v1alpha1.TimeHeader{Header: "X-Reset", Unit: v1alpha1.ResetUnitSeconds}, WindowSeconds: 60},
			Links:        []v1alpha1.MemberPath{"@odata.nextLink", "meta/more"},
			IdempotencyKey: &v1alpha1.IdempotencyKey{
				Header: "X-Key", MaxLength: 64, ValidForSeconds: 3600,
				Match: []v1alpha1.OperationMatch{{Methods: []v1alpha1.HTTPMethod{"POST"}, Path: "/orders"}},
			},
			BulkCalls: []v1alpha1.BulkCall{
				{
					Operation: "CreateInvoice", Path: "/invoices", Record: "invoice", BulkPath: "/invoices/bulk", MaxItems: 50, Items: "invoices", Results: "data/results",
					ID: "body/id", Answer: "body", Effect: v1alpha1.BulkEffectEach,
					Outcome: &v1alpha1.BulkOutcome{Path: "status", Succeeded: []v1alpha1.MemberValue{"201"}, Failed: []v1alpha1.MemberValue{"400", "422"}},
				},
				{Operation: "CreateOrder", Path: "/orders", BulkPath: "/orders/bulk", MaxItems: 10, ID: "id", Effect: v1alpha1.BulkEffectAllOrNone},
			},
		}
	})
	out := plan.Compile(plan.Input{CRM: c})
	if out.Plan == nil {
		t.Fatalf("%+v", out.CRM)
	}
	want := &contract.Generic{
		Refusals: []contract.RefusalRule{
			{
				Statuses: []int64{403, 420}, Member: []string{"errors", "*", "code"}, Values: []string{"BUSY"}, Scope: contract.RefusalEndpoint,
				Wait: &contract.TimeHeader{Header: "X-Reset", Unix: true},
			},
			{Statuses: []int64{429}, Scope: contract.RefusalLicence},
		},
		LimitHeaders: &contract.LimitHeaders{Limit: "X-Limit", Remaining: "X-Left", Reset: &contract.TimeHeader{Header: "X-Reset"}, WindowSeconds: 60},
		Links:        [][]string{{"@odata.nextLink"}, {"meta", "more"}},
		IdempotencyKey: &contract.IdempotencyKey{
			Header: "X-Key", MaxLength: 64, ValidForSeconds: 3600, Match: []contract.CallMatch{{Methods: []string{"POST"}, Path: "/orders"}},
		},
		BulkCalls: []contract.BulkCall{
			{
				Operation: "CreateInvoice", Path: "/invoices", Record: "invoice", BulkPath: "/invoices/bulk", MaxItems: 50, Items: []string{"invoices"},
				Results: []string{"data", "results"}, ID: []string{"body", "id"}, Answer: []string{"body"},
				Outcome: &contract.BulkOutcome{Member: []string{"status"}, Succeeded: []string{"201"}, Failed: []string{"400", "422"}},
			},
			{Operation: "CreateOrder", Path: "/orders", BulkPath: "/orders/bulk", MaxItems: 10, ID: []string{"id"}},
		},
	}
	if diff := cmp.Diff(want, out.Plan.Generic); diff != "" {
		t.Error(diff)
	}
	if plain := plan.Compile(plan.Input{CRM: crm()}); plain.Plan.Generic != nil {
		t.Errorf("a plan of Zendesk has %+v", plain.Plan.Generic)
	}
}

// TestTokensComeFromWhereTheProviderHasThem, and are presented as it wants.
func TestTokensComeFromWhereTheProviderHasThem(t *testing.T) {
	for _, test := range []struct {
		provider           v1alpha1.Provider
		endpoint, declared string
		url, authorization string
	}{
		{v1alpha1.ProviderZendesk, "https://acme.zendesk.com", "", "https://acme.zendesk.com/oauth/tokens", "Bearer t"},
		{v1alpha1.ProviderSalesforce, "https://acme.my.salesforce.com", "", "https://acme.my.salesforce.com/services/oauth2/token", "Bearer t"},
		{v1alpha1.ProviderHubSpot, "https://api.hubapi.com", "", "https://api.hubapi.com/oauth/2026-03/token", "Bearer t"},
		{v1alpha1.ProviderServiceNow, "https://acme.service-now.com", "", "https://acme.service-now.com/oauth_token.do", "Bearer t"},
		{v1alpha1.ProviderZohoCRM, "https://www.zohoapis.eu", "https://accounts.zoho.eu/oauth/v2/token", "https://accounts.zoho.eu/oauth/v2/token", "Zoho-oauthtoken t"},
		{v1alpha1.ProviderZendesk, "https://acme.zendesk.com", "https://sso.acme.com/token", "https://sso.acme.com/token", "Bearer t"},
	} {
		out := plan.Compile(plan.Input{CRM: crm(func(c *v1alpha1.CRM) {
			c.Spec.Provider, c.Spec.Endpoint, c.Spec.Licence.Account = test.provider, test.endpoint, "acme"
			c.Spec.Credentials = v1alpha1.Credentials{OAuthRefresh: &v1alpha1.OAuthRefreshCredentials{TokenURL: v1alpha1.TokenURL(test.declared)}}
		})})
		got := out.Plan.Credentials
		if got.TokenURL() != test.url || got.Authorization("t") != test.authorization {
			t.Errorf("%s: %s, %s; want %s, %s", test.provider, got.TokenURL(), got.Authorization("t"), test.url, test.authorization)
		}
	}
	bearer := plan.Compile(plan.Input{CRM: crm(func(c *v1alpha1.CRM) {
		c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderZohoCRM, "acme"
		c.Spec.Credentials = v1alpha1.Credentials{Bearer: &v1alpha1.BearerCredentials{TokenKey: "token"}}
	})})
	if got := bearer.Plan.Credentials.Authorization("t"); got != "Zoho-oauthtoken t" {
		t.Errorf("a fixed token is presented as %q", got)
	}
	basic := plan.Compile(plan.Input{CRM: crm(func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderZohoCRM, "acme" })})
	if got := basic.Plan.Credentials.Scheme; got != "" {
		t.Errorf("a user and a password have the scheme %q", got)
	}
}
