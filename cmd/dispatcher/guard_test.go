// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// TestAPrivateCRMNeedsTheManifestsWord: whoever calls and whoever reads the CRM object's conditions learn why it is not called, and an edit is all it takes.
func TestAPrivateCRMNeedsTheManifestsWord(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	w := newWorld(t, strings.ReplaceAll(crm.url, "127.0.0.1", "localhost"))
	w.plan.Network = contract.NetworkPublic
	d := w.start()
	const search = "/api/v2/users/search.json?query=ada"

	refused := d.call("GET", search, "")
	if refused.status != http.StatusServiceUnavailable || refused.header.Get("Crmquota-Reason") != string(contract.ReasonAddressNotAllowed) ||
		!strings.Contains(refused.body, "set spec.network to Private") {
		t.Errorf("%d %v %s", refused.status, refused.header, refused.body)
	}
	eventually(t, func() bool { return d.report(0, 0).Endpoint.NotAllowed })
	if said := d.report(0, 0).Endpoint.Message; !strings.Contains(said, `the host "localhost" is not called: 127.0.0.1 is`) {
		t.Errorf("the report says %q", said)
	}
	if n := crm.sim.Report().Arrivals; n != 0 {
		t.Errorf("%d requests arrived", n)
	}

	w.plan.Network, w.plan.Sequence = contract.NetworkPrivate, 2
	w.writePlan()
	d.report(2, 20)
	if got := d.call("GET", search, ""); got.status != http.StatusOK {
		t.Errorf("when it is allowed: %d %s", got.status, got.body)
	}
	eventually(t, func() bool { return d.report(0, 0).Endpoint.Resolved })
}
