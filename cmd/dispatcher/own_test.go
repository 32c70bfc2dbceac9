// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

func sha(text string) []string {
	sum := sha256.Sum256([]byte(text))
	return []string{hex.EncodeToString(sum[:])}
}

// mount writes a Secret as the kubelet does.
func mount(t *testing.T, folder string, keys map[string]string) {
	t.Helper()
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for key, value := range keys {
		if err := os.WriteFile(filepath.Join(folder, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The CRM sees each integration as its own user, and a client that brings its credential as that; a Secret that goes away stops its own integration only; and nothing of
// a credential is told.
func TestEachIntegrationIsItsOwnUserOfTheCRM(t *testing.T) {
	const marketingKey, marketingToken, broughtToken = "marketing-key-0123456789", "token-of-marketing", "token-that-is-brought"
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken, marketingToken, broughtToken}})
	w := newWorld(t, crm.url)
	var log bytes.Buffer
	w.log = &log
	w.options.ownCredentialsDir = t.TempDir()
	secret := filepath.Join(w.options.ownCredentialsDir, "marketing")
	mount(t, secret, map[string]string{"username": "marketing@acme.com/token", "password": marketingToken})
	add := func(name string, edit func(*contract.Integration)) {
		i := w.plan.Integrations[0]
		i.Name, i.UID, i.Operations = name, name, nil
		edit(&i)
		w.plan.Integrations = append(w.plan.Integrations, i)
	}
	add("marketing", func(i *contract.Integration) {
		i.Credentials = &contract.Credentials{Own: true, Secret: "marketing", Basic: w.plan.Credentials.Basic}
		i.Clients = []contract.Client{{Name: "sync", APIKeySHA256: sha(marketingKey)}}
	})
	add("tools", func(i *contract.Integration) {
		i.Clients = []contract.Client{{Name: "person", CRMCredentialSHA256: sha("person@acme.com/token:" + broughtToken)}}
	})
	d := w.start()
	const search = "/api/v2/users/search.json?query=ada"
	as := map[string]string{
		"ccai": "Bearer " + clientKey, "marketing": "Bearer " + marketingKey,
		"tools": "Basic " + base64.StdEncoding.EncodeToString([]byte("person@acme.com/token:"+broughtToken)),
	}
	for name, authorization := range as {
		if got := d.call("GET", search, "", "Authorization", authorization); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	want := map[string]int{"agent@acme.com": 1, "marketing@acme.com": 1, "person@acme.com": 1}
	if diff := cmp.Diff(want, crm.sim.Report().ByCredential); diff != "" {
		t.Errorf("requests by user (-want +got):\n%s", diff)
	}

	if err := os.RemoveAll(secret); err != nil {
		t.Fatal(err)
	}
	own := func() *contract.CredentialsReport {
		for _, i := range d.report(0, 0).Integrations {
			if i.Name == "marketing" {
				return i.Credentials
			}
		}
		return nil
	}
	eventually(t, func() bool { r := own(); return r != nil && !r.Resolved })
	if got := d.call("GET", search, "", "Authorization", as["marketing"]); got.status != http.StatusServiceUnavailable ||
		got.header.Get("Crmquota-Reason") != string(contract.ReasonNoCredentials) {
		t.Errorf("without its Secret: %d %v", got.status, got.header)
	}
	if got := d.call("GET", search, "", "Authorization", as["ccai"]); got.status != http.StatusOK || !d.report(0, 0).Credentials.Resolved {
		t.Errorf("another integration: %d %s", got.status, got.body)
	}
	told := d.metrics()
	d.stop()
	told += log.String()
	for _, secret := range []string{marketingToken, broughtToken, marketingKey, crmToken} {
		if strings.Contains(told, secret) {
			t.Errorf("%s stands in the log or the metrics", secret)
		}
	}
}
