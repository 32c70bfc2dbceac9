package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/config"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
)

// mount is one mount operation.
type mount struct {
	source, target, kind string
	flags                uintptr
}

// isolate gives the node its own /proc, /sys, /var, /run and name resolution. The mounts go with the namespace: there
// is nothing to undo.
func isolate(c config.Cluster) error {
	kept, err := hold(c.State.Dir, c.Binaries, cacheOf(c.Binaries))
	if err != nil {
		return err
	}
	const cgroups = "/run/cgroups"
	err = mountAll([]mount{
		{target: "/", flags: unix.MS_REC | unix.MS_PRIVATE},
		{source: "proc", target: "/proc", kind: "proc", flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{source: c.State.Var(), target: "/var", flags: unix.MS_BIND},
		{source: "tmpfs", target: "/run", kind: "tmpfs", flags: unix.MS_NOSUID | unix.MS_NODEV},
	})
	if err != nil {
		return err
	}
	if err := kept.restore(); err != nil {
		return err
	}
	if err := os.Mkdir(cgroups, 0o755); err != nil {
		return err
	}
	// A network namespace has a sysfs of its own, which hides the control groups below it: they are put back.
	err = mountAll([]mount{
		{source: host.CgroupRoot, target: cgroups, flags: unix.MS_BIND | unix.MS_REC},
		{source: "sysfs", target: "/sys", kind: "sysfs", flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{source: cgroups, target: host.CgroupRoot, flags: unix.MS_BIND | unix.MS_REC},
	})
	if err != nil {
		return err
	}
	if err := unix.Unmount(cgroups, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", cgroups, err)
	}
	// The machine's name servers cannot be reached from here.
	for _, name := range []string{"resolv.conf", "hosts"} {
		if err := coverFile(c.State.Config(name), "/etc/"+name); err != nil {
			return err
		}
	}
	// The runtime and the kubelet pass mounts to containers.
	return mountAll([]mount{{target: "/", flags: unix.MS_REC | unix.MS_SHARED}})
}

func mountAll(mounts []mount) error {
	for _, m := range mounts {
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("mount %s %s on %s: %w", m.kind, m.source, m.target, err)
		}
	}
	return nil
}

// held are folders that stay reachable by an open file whatever is mounted over them.
type held map[string]*os.File

// hold opens those of the folders that the node's own /var and /run will hide.
func hold(dirs ...string) (held, error) {
	files := held{}
	for _, dir := range dirs {
		if !strings.HasPrefix(dir, "/var/") && !strings.HasPrefix(dir, "/run/") {
			continue
		}
		file, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return nil, err
		}
		files[dir] = file
	}
	return files, nil
}

// restore mounts the held folders at their old places.
func (h held) restore() error {
	for dir, file := range h {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		source := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
		if err := mountAll([]mount{{source: source, target: dir, flags: unix.MS_BIND | unix.MS_REC}}); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

// cacheOf returns the folder that holds what the links in the folder of binaries point to.
func cacheOf(binaries string) string {
	target, err := os.Readlink(filepath.Join(binaries, "kubelet"))
	if err != nil {
		return binaries
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(target))) // .../binaries/NAME/KEY/NAME
}

// coverFile mounts a file over another, which may be a link into /run (systemd's resolver): there it is made first.
func coverFile(source, target string) error {
	resolved, err := filepath.EvalSymlinks(target)
	if errors.Is(err, fs.ErrNotExist) {
		if resolved, err = makeLinked(target); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return mountAll([]mount{{source: source, target: resolved, flags: unix.MS_BIND}})
}

// makeLinked makes the missing file that a link points to, provided it lies in /run, which is the node's own.
func makeLinked(link string) (string, error) {
	target, err := os.Readlink(link)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(link), target)
	}
	if !strings.HasPrefix(target, "/run/") {
		return "", fmt.Errorf("%s points to %s, which does not exist", link, target)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	return target, os.WriteFile(target, nil, 0o644)
}
