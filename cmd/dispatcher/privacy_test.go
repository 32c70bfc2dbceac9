// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// What docs/privacy.md says is written down, and what not.
func TestWhatIsWrittenDown(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	w := newWorld(t, crm.url)
	var log bytes.Buffer
	w.log = &log
	d := w.start()

	// Calls that somebody waits for, good ones and bad ones.
	for _, c := range []struct{ method, path, body, key string }{
		{"GET", "/api/v2/users/search.json?query=waiting-query", "", clientKey},
		{"POST", "/api/v2/tickets/create_many.json", `{"tickets":[{"description":"waiting-body"}]}`, clientKey},
		{"GET", "/api/v2/waiting-path", "", clientKey},
		{"GET", "/api/v2/waiting-path", "", "waiting-wrong-key"},
		{"GET", "/api/v2/waiting-path//", "", clientKey},
	} {
		d.call(c.method, c.path, c.body, "Authorization", basic("anybody", c.key), "X-Trace", "waiting-header", "Cookie", "waiting-cookie")
	}
	crm.sim.Close() // an answer that says so, and no more from here on
	d.call("GET", "/api/v2/waiting-path", "")

	w.plan.Sequence, w.plan.Hold = 2, true
	w.writePlan()
	d.report(2, 20)
	queued := d.call("POST", "/api/v2/tickets.json?queued-query", `{"ticket":{"description":"queued-body"}}`,
		"X-Trace", "queued-header", "Cookie", "queued-cookie", "Idempotency-Key", "queued-key")
	if queued.status != http.StatusAccepted {
		t.Fatalf("%d %s", queued.status, queued.body)
	}
	told, err := json.Marshal(d.report(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string][]byte{"the metrics": []byte(d.metrics()), "the report": told}
	d.stop()
	if shown["the log"] = log.Bytes(); !bytes.Contains(log.Bytes(), []byte("A plan is in force")) {
		t.Error("the log holds nothing, so nothing is said by what is not found there")
	}
	volume := files(t, w.options.dataDir)

	for _, text := range []string{"queued-query", "queued-header", "queued-body"} {
		if !bytes.Contains(volume, []byte(text)) {
			t.Errorf("%s is not on the volume, so nothing is said by what is not found there", text)
		}
	}
	for place, content := range shown {
		if bytes.Contains(content, []byte("queued-")) {
			t.Errorf("%s tells of a queued call: %s", place, content)
		}
	}
	shown["the volume"] = volume
	for place, content := range shown {
		for _, text := range []string{
			"waiting-", "queued-cookie", "queued-key", clientKey, crmToken, basic("anybody", clientKey), basic("agent@acme.com/token", crmToken),
		} {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("%s holds %q", place, text)
			}
		}
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// files is the content of all files in a directory.
func files(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all = append(all, content...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
