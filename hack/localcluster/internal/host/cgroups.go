package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CgroupRoot is where the machine mounts its control groups.
const CgroupRoot = "/sys/fs/cgroup"

// MakeCgroup makes the named control group in every hierarchy below root: the only one of version 2, or the one of
// each controller of version 1. On version 2 the root must pass its controllers on, or the kubelet refuses the group.
func MakeCgroup(root, name string) error {
	if content, err := os.ReadFile(filepath.Join(root, "cgroup.controllers")); err == nil {
		for controller := range strings.FieldsSeq(string(content)) {
			// Refused for controllers that cannot be passed on; the kubelet says if it misses one.
			_ = os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		}
	}
	hierarchies, err := hierarchies(root)
	if err != nil {
		return err
	}
	for _, hierarchy := range hierarchies {
		if err := os.MkdirAll(filepath.Join(hierarchy, name), 0o755); err != nil {
			return fmt.Errorf("make the control group of the pods: %w", err)
		}
	}
	return nil
}

// RemoveCgroup removes the named group with all groups below it, in every hierarchy. Processes that are just ending
// may hold it for a moment: it tries for as long as patience says.
func RemoveCgroup(root, name string, patience time.Duration) error {
	hierarchies, err := hierarchies(root)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(patience)
	for _, hierarchy := range hierarchies {
		group := filepath.Join(hierarchy, name)
		err := removeGroups(group)
		for errors.Is(err, unix.EBUSY) && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
			err = removeGroups(group)
		}
		if err != nil {
			return fmt.Errorf("remove the control group of the pods: %w", err)
		}
	}
	return nil
}

// hierarchies lists the folders that are roots of control groups.
func hierarchies(root string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		return []string{root}, nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("no control groups: %w", err)
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() { // not the links between joined controllers
			found = append(found, filepath.Join(root, entry.Name()))
		}
	}
	return found, nil
}

// removeGroups removes a tree of groups from its leaves up. The files in a group are the kernel's and go with it.
func removeGroups(top string) error {
	var groups []string
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			groups = append(groups, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Reverse(groups)
	for _, group := range groups {
		if err := unix.Rmdir(group); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("%s: %w", group, err)
		}
	}
	return nil
}
