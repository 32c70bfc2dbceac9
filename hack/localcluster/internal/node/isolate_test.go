package node

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyFoldersThatTheNodeHidesAreHeld(t *testing.T) {
	t.Setenv("TMPDIR", "/var/tmp")
	hidden, visible := t.TempDir(), "/usr"
	files, err := hold(hidden, visible)
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for dir, file := range files {
		dirs = append(dirs, dir)
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{hidden}, dirs); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if _, err := hold(filepath.Join(hidden, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is missing: %v", err)
	}
}

func TestTheCacheIsFoundByTheLinksIntoIt(t *testing.T) {
	binaries := t.TempDir()
	if got := cacheOf(binaries); got != binaries {
		t.Errorf("without links: %s, want %s", got, binaries)
	}
	if err := os.Symlink("/home/me/.cache/crm-quota-operator/binaries/kubelet/0123/kubelet", filepath.Join(binaries, "kubelet")); err != nil {
		t.Fatal(err)
	}
	if got, want := cacheOf(binaries), "/home/me/.cache/crm-quota-operator/binaries"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAFileIsNotMadeOutsideTheNodesOwnFolders(t *testing.T) {
	link := filepath.Join(t.TempDir(), "resolv.conf")
	target := filepath.Join(t.TempDir(), "absent")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if _, err := makeLinked(link); err == nil {
		t.Error("no error")
	}
	if _, err := os.Lstat(target); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file was made: %v", err)
	}
}
