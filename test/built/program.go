// SPDX-License-Identifier: Apache-2.0

package built

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program builds another of this module's commands, and returns the path of its binary.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	build := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-o", path, "github.com/crmquota/crm-quota-operator/cmd/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("building %s: %v\n%s", name, err, out)
	}
	return path
}
