// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

var consoles = regexp.MustCompile("(?ms)^```console\n(.*?)^```")

// TestProtocolPage runs the examples of docs/protocol.md, and finds every reason of a refusal there.
func TestProtocolPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := os.ReadFile("../../internal/contract/reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range regexp.MustCompile(`Reason = "(\w+)"`).FindAllStringSubmatch(string(reasons), -1) {
		if !strings.Contains(string(page), "`"+reason[1]+"`") {
			t.Errorf("the page does not say what %s means", reason[1])
		}
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed: the examples are not run")
	}
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	w := newWorld(t, crm.url)
	d := w.start()
	var got strings.Builder
	blocks := consoles.FindAllStringSubmatch(string(page), -1)
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			command, isCommand := strings.CutPrefix(line, "$ ")
			if !isCommand {
				continue
			}
			sh := exec.CommandContext(t.Context(), "sh", "-c", command)
			sh.Env = append(os.Environ(), "CA="+filepath.Join(w.options.dataDir, "intake-ca.pem"), "INTAKE="+d.intake, "KEY="+clientKey)
			out, err := sh.CombinedOutput()
			if err != nil {
				t.Errorf("%s%v", line, err)
			}
			got.WriteString(line + string(out))
		}
	}
	var want strings.Builder
	for _, block := range blocks {
		want.WriteString(block[1])
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" || len(blocks) < 5 {
		t.Errorf("%d blocks of examples (-page +run):\n%s", len(blocks), diff)
	}
}
