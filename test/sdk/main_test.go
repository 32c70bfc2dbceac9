// SPDX-License-Identifier: Apache-2.0

// Package sdk sends real client packages through a built dispatcher, as a process of its own and over TLS, and has the CRM say whether any of their requests went
// round it. The packages come from `make sdk-packages`; what is missing is skipped, or with SDK=required fails.
package sdk

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sdk")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "dispatcher")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "github.com/crmquota/crm-quota-operator/cmd/dispatcher")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the dispatcher: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// unavailable ends a test whose client is not on this machine.
func unavailable(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SDK") == "required" {
		t.Fatalf("%s is missing", what)
	}
	t.Skipf("%s is missing; make sdk-packages installs it", what)
}
