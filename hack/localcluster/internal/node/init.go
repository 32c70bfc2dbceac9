// Package node runs inside the namespaces of a node: its first process builds the node's own view of the machine, a
// second one boots and supervises the components. When the first ends, the kernel ends all others.
package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/config"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

// Init is the node's first process. It waits at the gate until the machine has laid the cable, sets up mounts and
// network, and starts the supervisor with the given arguments of this program. Then it only reaps, until the
// supervisor ends.
func Init(ctx context.Context, c config.Cluster, gate io.Reader, supervisor []string) error {
	if os.Getpid() != 1 {
		return errors.New("this command is started by \"up\" as the first process of a node")
	}
	if _, err := io.ReadFull(gate, make([]byte, 1)); err != nil {
		return fmt.Errorf("not released: the command that started the node has ended: %w", err)
	}
	if err := unix.Sethostname([]byte(layout.NodeName)); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	if err := isolate(c); err != nil {
		return err
	}
	if err := connect(ctx, c); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", supervisor...)
	cmd.Args[0] = "localcluster"
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the supervisor: %w", err)
	}
	return reapUntil(cmd.Process.Pid)
}

// Environment is that of all programs in the node.
func Environment(binaries string) []string {
	return []string{
		"PATH=" + binaries + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/run", "TMPDIR=/run", // the node's own, gone with it
	}
}

// reapUntil collects orphans, which become children of the first process, until the given child has ended.
func reapUntil(child int) error {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for the node's processes: %w", err)
		case pid == child:
			return fmt.Errorf("the supervisor ended with status %d, signal %d", status.ExitStatus(), int(status.Signal()))
		}
	}
}
