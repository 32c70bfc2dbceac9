// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

func TestAccount(t *testing.T) {
	for name, row := range map[string]struct {
		provider          v1alpha1.Provider
		endpoint, account string
		want              string
	}{
		"Zendesk derives the subdomain":                       {v1alpha1.ProviderZendesk, "https://acme.zendesk.com", "", "acme"},
		"Zendesk with a port derives the subdomain":           {v1alpha1.ProviderZendesk, "https://acme.zendesk.com:443", "", "acme"},
		"Zendesk under another host is that host":             {v1alpha1.ProviderZendesk, "http://crmsim.demo.svc:8080", "", "crmsim.demo.svc"},
		"a declared account wins":                             {v1alpha1.ProviderZendesk, "http://crmsim.demo.svc", "acme", "acme"},
		"a declared host name is the account it stands for":   {v1alpha1.ProviderZendesk, "https://support.acme.com", "Acme.Zendesk.com", "acme"},
		"capitals make no difference":                         {v1alpha1.ProviderGeneric, "https://api.example.com", "ACME", "acme"},
		"another provider's account keeps a Zendesk-like end": {v1alpha1.ProviderGeneric, "https://api.example.com", "acme.zendesk.com", "acme.zendesk.com"},
	} {
		t.Run(name, func(t *testing.T) {
			c := crm(func(c *v1alpha1.CRM) {
				c.Spec.Provider, c.Spec.Endpoint, c.Spec.Licence.Account = row.provider, row.endpoint, row.account
			})
			if got := plan.Account(c); got != row.want {
				t.Errorf("Account = %q, want %q", got, row.want)
			}
		})
	}
}

func TestLicenceIsALabelThatTellsLicencesApart(t *testing.T) {
	label := regexp.MustCompile(`^[a-z0-9]{1,63}$`)
	account := func(p v1alpha1.Provider, a string) *v1alpha1.CRM {
		return crm(func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = p, a })
	}
	same := []*v1alpha1.CRM{crm(), account(v1alpha1.ProviderZendesk, "acme"), account(v1alpha1.ProviderZendesk, "ACME")}
	for _, c := range same {
		if got := plan.Licence(c); got != plan.Licence(same[0]) || !label.MatchString(got) {
			t.Errorf("Licence = %q, want the label %q", got, plan.Licence(same[0]))
		}
	}
	for _, c := range []*v1alpha1.CRM{account(v1alpha1.ProviderGeneric, "acme"), account(v1alpha1.ProviderZendesk, "acme2")} {
		if plan.Licence(c) == plan.Licence(same[0]) {
			t.Errorf("%s %s has the licence of %s %s", c.Spec.Provider, plan.Account(c), same[0].Spec.Provider, plan.Account(same[0]))
		}
	}
}

func TestHolder(t *testing.T) {
	named := func(namespace string, hours int, edits ...func(*v1alpha1.CRM)) v1alpha1.CRM {
		return *crm(append([]func(*v1alpha1.CRM){func(c *v1alpha1.CRM) {
			c.Namespace, c.CreationTimestamp = namespace, metav1.NewTime(now.Add(time.Duration(-hours)*time.Hour))
		}}, edits...)...)
	}
	spends := func(c *v1alpha1.CRM) { c.Status.Account = "acme" }
	programmed := func(c *v1alpha1.CRM) {
		c.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionProgrammed, Status: metav1.ConditionTrue}}
	}
	moved := func(c *v1alpha1.CRM) { c.Spec.Endpoint = "https://other.zendesk.com" }
	for name, row := range map[string]struct {
		crms []v1alpha1.CRM
		want string
	}{
		"alone it holds its licence":                                  {[]v1alpha1.CRM{named("a", 1)}, "a"},
		"the oldest holds it":                                         {[]v1alpha1.CRM{named("a", 1), named("b", 2)}, "b"},
		"of one age the first by namespace holds it":                  {[]v1alpha1.CRM{named("b", 1), named("a", 1)}, "a"},
		"who spends it holds it, although younger":                    {[]v1alpha1.CRM{named("a", 1, spends), named("b", 2)}, "a"},
		"who spends it holds it before who is programmed for another": {[]v1alpha1.CRM{named("a", 1, spends), named("b", 2, programmed)}, "a"},
		"of two that spend it the programmed one holds it":            {[]v1alpha1.CRM{named("a", 1, spends, programmed), named("b", 2, spends)}, "a"},
		"who still spends it after a refused edit holds it":           {[]v1alpha1.CRM{named("a", 1, spends, moved), named("b", 2)}, "a"},
		"who moves in loses to who spends it":                         {[]v1alpha1.CRM{named("a", 3, func(c *v1alpha1.CRM) { c.Status.Account = "other" }, programmed), named("b", 1, spends)}, "b"},
		"another licence does not matter":                             {[]v1alpha1.CRM{named("a", 1), named("b", 2, moved)}, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range row.crms {
				c := &row.crms[i]
				if plan.Licence(c) != plan.Licence(crm()) {
					continue
				}
				want := &types.NamespacedName{Namespace: row.want, Name: "zendesk"}
				if c.Namespace == row.want {
					want = nil
				}
				if diff := cmp.Diff(want, plan.Holder(c, row.crms)); diff != "" {
					t.Errorf("holder as seen from %s (-want +got):\n%s", c.Namespace, diff)
				}
			}
		})
	}
}

func TestLicencesAreWhatIsDeclaredAndWhatIsStillSpent(t *testing.T) {
	c := crm(func(c *v1alpha1.CRM) { c.Status.Account = "acme" })
	if diff := cmp.Diff([]string{plan.Licence(c)}, plan.Licences(c)); diff != "" {
		t.Errorf("licences at rest (-want +got):\n%s", diff)
	}
	before := plan.Licence(c)
	c.Spec.Endpoint = "https://other.zendesk.com"
	if diff := cmp.Diff([]string{plan.Licence(c), before}, plan.Licences(c)); diff != "" {
		t.Errorf("licences during a refused move (-want +got):\n%s", diff)
	}
}
