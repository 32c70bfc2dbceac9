// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// TestAReceiverIsTold by the whole process, once the Secret with the key is there, over a restart.
func TestAReceiverIsTold(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	told := make(chan http.Header, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.Header }))
	t.Cleanup(receiver.Close)
	w := newWorld(t, crm.url)
	w.options.ownCredentialsDir = filepath.Join(t.TempDir(), "own")
	w.plan.Integrations[0].Callbacks = &contract.Callbacks{Secret: "keys", Endpoints: []contract.CallbackEndpoint{{Name: "app", URL: receiver.URL + "/results"}}}

	d := w.start()
	accepted := d.call("POST", "/api/v2/tickets.json", fmt.Sprintf(createTicket, "t-1"), "Prefer", "respond-async")
	location := strings.TrimPrefix(accepted.header.Get("Location"), d.intake)
	d.call("GET", location+"?wait=20", "")
	if c := d.report(0, 0).Integrations[0].Callbacks; c == nil || c.Waiting != 1 || !strings.Contains(c.KeyTrouble, "Secret keys is missing") {
		t.Errorf("without a key the report says %+v", c)
	}
	d.stop()

	secret := filepath.Join(w.options.ownCredentialsDir, "keys")
	if err := os.MkdirAll(secret, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(secret, "key"), []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d = w.start()
	header := <-told
	if id := strings.TrimPrefix(location, contract.ResultsPath) + "-1"; header.Get("Webhook-Id") != id || !strings.HasPrefix(header.Get("Webhook-Signature"), "v1,") {
		t.Errorf("told with %v, want the ID %s and a signature", header, id)
	}
	for _, series := range []string{
		`crmquota_dispatcher_callbacks_delivered_total{integration="contact-centre/ccai"} 1`, `crmquota_dispatcher_callbacks_waiting{integration="contact-centre/ccai"} 0`,
		`crmquota_dispatcher_callback_attempts_total{endpoint="app",integration="contact-centre/ccai",status="2xx"} 1`,
	} {
		eventually(t, func() bool { return strings.Contains(d.metrics(), series) })
	}
}
