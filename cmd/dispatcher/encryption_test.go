// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// TestWhatIsEncrypted: with a key from the Secret nothing of a queued call's header and body, and of its answer, can be found on the volume. Without the key no call is
// queued and the report says why; when it is back, the call is sent.
func TestWhatIsEncrypted(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	w := newWorld(t, crm.url)
	w.plan.Hold = true
	w.plan.Encryption = &contract.Encryption{Current: "current", Former: "former"}
	key := filepath.Join(w.options.encryptionDir, "current")
	value := []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)) + "\n")
	write := func() {
		if err := os.WriteFile(key, value, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := w.start()
	missing := `the encryption key is missing: the encryption Secret lacks the key "current"`
	if got := d.report(0, 0).Credentials.EncryptionKeyMissing; got != missing {
		t.Errorf("the report says %q", got)
	}
	queue := func() answer {
		return d.call("POST", "/api/v2/tickets.json?queued-query", `{"ticket":{"description":"queued-body"}}`, "X-Trace", "queued-header")
	}
	if a := queue(); a.status != http.StatusServiceUnavailable || a.header.Get(contract.HeaderReason) != "EncryptionKeyMissing" || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	write()
	awaitKey(d)
	accepted := queue()
	if accepted.status != http.StatusAccepted {
		t.Fatalf("%d %s", accepted.status, accepted.body)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	d.stop()
	for _, text := range []string{"queued-header", "queued-body"} {
		if bytes.Contains(files(t, w.options.dataDir), []byte(text)) {
			t.Errorf("%s is on the volume", text)
		}
	}
	if !bytes.Contains(files(t, w.options.dataDir), []byte("queued-query")) {
		t.Error("the target is not on the volume, so nothing is said by what is not found there")
	}

	w.plan.Sequence, w.plan.Hold = 2, false
	w.writePlan()
	d = w.start()
	d.report(2, 20)
	if got := d.report(0, 0).Credentials.EncryptionKeyMissing; got != missing {
		t.Errorf("the report says %q", got)
	}
	write()
	location := strings.TrimPrefix(accepted.header.Get("Location"), w.plan.Intake.URL)
	result := d.call("GET", location+"?wait=60", "")
	if result.status != http.StatusOK || !strings.Contains(result.body, "queued-body") { // the CRM answers with the ticket
		t.Errorf("%d %s", result.status, result.body)
	}
	d.stop()
	if bytes.Contains(files(t, w.options.dataDir), []byte("queued-body")) {
		t.Error("the answer is on the volume")
	}
}

// awaitKey waits until the dispatcher has found the key.
func awaitKey(d *running) {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); d.report(0, 0).Credentials.EncryptionKeyMissing != ""; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatal("the key is not found")
		}
	}
}
