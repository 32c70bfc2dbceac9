// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

var names = []string{
	"Zendesk", "Salesforce", "HubSpot", "Dynamics365", "ServiceNow", "Freshdesk", "ZohoCRM", "Pipedrive", "Intercom", "Kustomer", "Generic",
}

func get(t *testing.T, name string) provider.Provider {
	t.Helper()
	p, found := provider.ByName(name)
	if !found || p.Name() != name {
		t.Fatalf("ByName(%q) = %v, %v", name, p, found)
	}
	return p
}

func TestByNameKnowsNoOther(t *testing.T) {
	for _, name := range []string{"", "zendesk", "SugarCRM"} {
		if p, found := provider.ByName(name); found {
			t.Errorf("ByName(%q) = %v, want none", name, p)
		}
	}
}

// TestOf: what a plan tells of an API is heard with Generic, and other providers know better.
func TestOf(t *testing.T) {
	rules := &contract.Generic{Refusals: []contract.RefusalRule{{Statuses: []int64{420}, Scope: contract.RefusalLicence}}}
	for name, test := range map[string]struct {
		provider string
		rules    *contract.Generic
		known    bool
		refuses  int
	}{
		"Generic":            {"Generic", nil, true, 429},
		"Generic with rules": {"Generic", rules, true, 420},
		"Zendesk with rules": {"Zendesk", rules, true, 429},
		"none":               {"SugarCRM", rules, false, 0},
	} {
		p, found := provider.Of(&contract.Plan{CRM: contract.CRMIdentity{Provider: test.provider}, Generic: test.rules})
		if found != test.known {
			t.Errorf("%s: found %t", name, found)
			continue
		}
		for _, status := range []int{420, 429} {
			if found && p.Refused(dialect.Answer{Status: status}, now).Refused != (status == test.refuses) {
				t.Errorf("%s: %d is judged wrongly", name, status)
			}
		}
	}
}

func TestOperationsAreFoundByName(t *testing.T) {
	for _, name := range names {
		p := get(t, name)
		var listed []string
		for _, want := range p.Operations() {
			listed = append(listed, want.Name)
			if got, found := provider.Operation(p, want.Name); !found || got != want {
				t.Errorf("%s: Operation(%q) = %+v, %v", name, want.Name, got, found)
			}
		}
		if !slices.IsSorted(listed) {
			t.Errorf("%s: operations are not in order: %v", name, listed)
		}
		if _, found := provider.Operation(p, "NoSuchOperation"); found {
			t.Errorf("%s knows NoSuchOperation", name)
		}
	}
}

func TestRetrySecondsNeverSaysZero(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "30", -time.Second: "30", 1: "1", time.Second: "1", time.Second + 1: "2", time.Hour: "3600",
	} {
		if got := dialect.RetrySeconds(d); got != want {
			t.Errorf("RetrySeconds(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestAllAreListed(t *testing.T) {
	var listed []string
	for _, p := range provider.All() {
		listed = append(listed, p.Name())
	}
	if !slices.Equal(listed, names) {
		t.Errorf("All() are %v, want %v", listed, names)
	}
}

// TestCanonicalIsItsOwnForm: patterns are brought into it as well as paths.
func TestCanonicalIsItsOwnForm(t *testing.T) {
	paths := []string{
		"/", "/*", "/**", "/api/**", "/api/v2/tickets/*", "/api/v2/tickets/007.json", "/services/data/v59.0/sobjects/Case/", "/services/data/*/sobjects/*/*",
		"/crm/v3/objects/0-1/", "/crm/objects/2026-03/tickets/batch/create", "/crm/*/objects/contacts", "/crm/v4/objects", "/crm/v8/Contacts/upsert",
		"/api/data/v9.2/contacts({0F8FAD5B-D9CB-469F-A165-70867728950E})", "/api/data/*/contacts(*)", "/api/data/v9.2/$batch", "/api/now/v2/table/incident/",
		"/api/now/*/table/incident/*", "/api/now/v1/batch", "/v1/deals/", "/api/v2/itemSearch", "/contacts/", "/v1/customers/bulk",
	}
	for _, p := range provider.All() {
		for _, path := range paths {
			once := p.Canonical(path)
			if twice := p.Canonical(once); twice != once {
				t.Errorf("%s: %q becomes %q, and that %q", p.Name(), path, once, twice)
			}
		}
	}
}

func TestHeadersAreCanonical(t *testing.T) {
	for _, name := range names {
		p := get(t, name)
		headers := p.IdentityHeaders()
		if key := p.Keys().Header; key != "" {
			headers = append(headers, key)
		}
		for _, header := range headers {
			if http.CanonicalHeaderKey(header) != header {
				t.Errorf("%s: %q is not canonical", name, header)
			}
		}
	}
}
