package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Node is a node's first process, started but held until Release.
type Node struct {
	// Identity names the process.
	Identity Identity
	// Ended receives the reason once the process has ended.
	Ended <-chan error

	gate *os.File
}

// Launch starts this program again as the first process of a new set of namespaces. It waits for Release before it
// does anything, and ends if this process ends before that. Its output goes to the log file. Its environment
// is env alone: a proxy or a debug setting of the caller must not change the cluster.
func Launch(ctx context.Context, log string, env []string, args ...string) (*Node, error) {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close() //nolint:errcheck // the child has its own
	gateRead, gate, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer gateRead.Close() //nolint:errcheck // the child has its own

	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/proc/self/exe", args...) // it outlives us
	cmd.Args[0] = "localcluster"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = gateRead, output, output
	cmd.Dir = "/"
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = gate.Close()
		return nil, fmt.Errorf("start the node in namespaces of its own: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	identity, err := Identify(cmd.Process.Pid)
	if err != nil {
		_ = gate.Close() // which ends it
		return nil, fmt.Errorf("the node ended at once: %w", err)
	}
	return &Node{Identity: identity, Ended: ended, gate: gate}, nil
}

// Release lets the node boot.
func (n *Node) Release() error {
	if _, err := n.gate.Write([]byte{1}); err != nil {
		return fmt.Errorf("release the node: %w", err)
	}
	return n.gate.Close()
}
