package debian

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "present"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	needs := []Need{
		{Program: "present", Package: "a"},
		{Program: "absent-program", Package: "b"},
		{File: filepath.Join(dir, "present"), Package: "c"},
		{File: filepath.Join(dir, "absent"), Package: "d"},
	}
	if diff := cmp.Diff([]string{"b", "d"}, Missing(needs)); diff != "" {
		t.Errorf("missing packages (-want +got):\n%s", diff)
	}
}

func TestNothingIsInstalledWhenAllIsThere(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no apt-get
	if err := Ensure(t.Context(), []Need{{File: "/proc/self/stat", Package: "a"}}, t.Logf); err != nil {
		t.Error(err)
	}
}

func TestWithoutAptGetTheErrorSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Ensure(t.Context(), []Need{{Program: "absent-program", Package: "some-package"}}, t.Logf)
	if err == nil || !strings.Contains(err.Error(), "apt-get install --no-install-recommends some-package") {
		t.Errorf("got %v", err)
	}
}
