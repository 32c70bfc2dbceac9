// Package debian makes sure that the few system packages the tool cannot build itself are there.
package debian

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Need is one file that must exist, and the Debian package that brings it.
type Need struct {
	// Program is searched in PATH; File is an absolute pattern. Exactly one is set.
	Program, File string
	// Package is the Debian package.
	Package string
}

// CgoToolchain is what runc's build needs.
func CgoToolchain() []Need {
	return []Need{
		{Program: "gcc", Package: "gcc"},
		{File: "/usr/include/stdlib.h", Package: "libc6-dev"},
		{File: "/usr/include/seccomp.h", Package: "libseccomp-dev"},
	}
}

// NodeTools is what a running node needs: kube-proxy programs Services with nft.
func NodeTools() []Need {
	return []Need{{Program: "nft", Package: "nftables"}}
}

// Missing returns the packages of unmet needs. PATH is searched with the administrator's folders added.
func Missing(needs []Need) []string {
	var packages []string
	for _, n := range needs {
		if !met(n) {
			packages = append(packages, n.Package)
		}
	}
	return packages
}

// Ensure installs the packages of unmet needs with apt-get. Without root or apt-get it returns an error that says
// what to install.
func Ensure(ctx context.Context, needs []Need, note func(format string, args ...any)) error {
	packages := Missing(needs)
	if len(packages) == 0 {
		return nil
	}
	advice := "apt-get install --no-install-recommends " + strings.Join(packages, " ")
	if os.Geteuid() != 0 {
		return fmt.Errorf("missing: %s; run as root: %s", strings.Join(packages, ", "), advice)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("missing: %s; there is no apt-get here: install the like of %q", strings.Join(packages, ", "), advice)
	}
	note("installing %s with apt-get", strings.Join(packages, ", "))
	install := append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages...)
	if apt(ctx, install...) == nil {
		return nil
	}
	// The usual reason is that the package lists are missing or old.
	if err := apt(ctx, "update", "-q"); err != nil {
		return err
	}
	return apt(ctx, install...)
}

func met(n Need) bool {
	if n.File != "" {
		_, err := os.Stat(n.File)
		return err == nil
	}
	if _, err := exec.LookPath(n.Program); err == nil {
		return true
	}
	_, err := os.Stat("/usr/sbin/" + n.Program) // not in the PATH of ordinary users
	return err == nil
}

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
