package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestControlGroupsOfVersion1AreMadeForEveryController(t *testing.T) {
	root := t.TempDir()
	makeDirs(t, root, "cpu,cpuacct", "memory", "pids")
	if err := os.Symlink("cpu,cpuacct", filepath.Join(root, "cpu")); err != nil {
		t.Fatal(err)
	}
	if err := MakeCgroup(root, "crmquota0"); err != nil {
		t.Fatal(err)
	}
	want := []string{"cpu,cpuacct", "cpu,cpuacct/crmquota0", "memory", "memory/crmquota0", "pids", "pids/crmquota0"}
	if diff := cmp.Diff(want, dirs(t, root)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestControlGroupsOfVersion2AreMadeOnceWithTheControllersPassedOn(t *testing.T) {
	root := t.TempDir()
	makeDirs(t, root, "system.slice")
	for name, content := range map[string]string{"cgroup.controllers": "cpu memory\n", "cgroup.subtree_control": ""} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := MakeCgroup(root, "crmquota0"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"crmquota0", "system.slice"}, dirs(t, root)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	passed, err := os.ReadFile(filepath.Join(root, "cgroup.subtree_control"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(passed), "+memory") { // the last write; the kernel adds them up
		t.Errorf("passed on: %q", passed)
	}
}

func TestRemovingControlGroupsLeavesTheOthers(t *testing.T) {
	root := t.TempDir()
	makeDirs(t, root, "memory/crmquota0/kubepods/burstable/pod1", "memory/crmquota1/kubepods", "memory/user", "pids")
	if err := RemoveCgroup(root, "crmquota0", 0); err != nil {
		t.Fatal(err)
	}
	want := []string{"memory", "memory/crmquota1", "memory/crmquota1/kubepods", "memory/user", "pids"}
	if diff := cmp.Diff(want, dirs(t, root)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestAGroupThatCannotBeRemovedIsReported(t *testing.T) {
	root := t.TempDir()
	makeDirs(t, root, "memory/crmquota0")
	// In a real hierarchy files go with their folder; in this one they hold it.
	if err := os.WriteFile(filepath.Join(root, "memory/crmquota0/held"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := RemoveCgroup(root, "crmquota0", 50*time.Millisecond); err == nil {
		t.Error("no error")
	}
}

func makeDirs(t *testing.T, root string, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.MkdirAll(filepath.Join(root, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// dirs lists the folders below root.
func dirs(t *testing.T, root string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != root {
			relative, _ := filepath.Rel(root, path)
			found = append(found, relative)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
