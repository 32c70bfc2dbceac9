// SPDX-License-Identifier: Apache-2.0

// Package debian finds programs of Debian's that tests and benchmarks compare with, and unpacks those that are not installed.
package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Need is a program, and perhaps a file that it needs, and the Debian package that brings what is missing.
type Need struct{ Program, File, Package string }

// Found is where a program is, and what must be in its environment.
type Found struct {
	Program     string
	Environment []string
}

// Find looks for what is installed, and otherwise unpacks the package, with what it needs, into a folder of this user's cache: nothing is installed, so no
// server is started that the machine would keep. Without root, or where apt-get is missing or fails, its error says what to install.
func (n Need) Find(ctx context.Context) (Found, error) {
	if exist(n.Program, n.File) {
		return Found{Program: n.Program}, nil
	}
	advice := fmt.Errorf("not installed; apt-get install --no-install-recommends %s", n.Package)
	if os.Geteuid() != 0 {
		return Found{}, advice
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return Found{}, errors.Join(advice, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Found{}, err
	}
	root := filepath.Join(cache, "crm-quota-operator", "debian", n.Package)
	if err := n.unpack(ctx, root); err != nil {
		return Found{}, fmt.Errorf("%w: %w", advice, err)
	}
	return n.in(root)
}

// in returns the program under a root where packages were unpacked; what was there before, of the system, was not.
func (n Need) in(root string) (Found, error) {
	f := Found{Program: n.Program, Environment: []string{
		"LD_LIBRARY_PATH=" + filepath.Join(root, "usr/lib", map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]+"-linux-gnu"),
		"PYTHONPATH=" + filepath.Join(root, "usr/lib/python3/dist-packages"),
	}}
	if !exist(n.Program) {
		f.Program = filepath.Join(root, n.Program)
	}
	if !exist(f.Program) || n.File != "" && !exist(filepath.Join(root, n.File)) {
		return Found{}, fmt.Errorf("package %s has no %s %s", n.Package, n.Program, n.File)
	}
	return f, nil
}

// unpack fetches the package, and those that it needs and the system has not, and unpacks them under root, if that has not been done.
func (n Need) unpack(ctx context.Context, root string) error {
	if _, err := n.in(root); err == nil {
		return nil
	}
	archives := filepath.Join(root, "archives")
	if err := os.MkdirAll(filepath.Join(archives, "partial"), 0o755); err != nil { //nolint:gosec // apt's own user must read it
		return err
	}
	fetch := []string{"apt-get", "install", "-y", "-q", "--no-install-recommends", "--download-only", "-o", "Dir::Cache::archives=" + archives, n.Package}
	if command(ctx, fetch...) != nil {
		// The usual reason is that the package lists are missing or old.
		if err := command(ctx, "apt-get", "update", "-q"); err != nil {
			return err
		}
		if err := command(ctx, fetch...); err != nil {
			return err
		}
	}
	packages, err := filepath.Glob(filepath.Join(archives, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range packages {
		if err := command(ctx, "dpkg-deb", "-x", file, root); err != nil {
			return err
		}
	}
	return nil
}

func command(ctx context.Context, argv ...string) error {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // words of this file
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", argv, err, out)
	}
	return nil
}

// exist says whether all files exist; an empty name is of none.
func exist(files ...string) bool {
	for _, file := range files {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			return false
		}
	}
	return true
}
