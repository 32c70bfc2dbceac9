// SPDX-License-Identifier: Apache-2.0

// Package built has tests run the dispatcher as it is shipped, as a process of its own.
package built

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Dispatcher is the path of the dispatcher's binary while Main runs.
var Dispatcher string

// Main builds the dispatcher into a temporary folder, runs the tests of a package and ends the process. It is all that a TestMain has to do.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "dispatcher")
	if err != nil {
		panic(err)
	}
	Dispatcher = filepath.Join(dir, "dispatcher")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", Dispatcher, "github.com/crmquota/crm-quota-operator/cmd/dispatcher") //nolint:noctx // as long as it takes
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the dispatcher: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
