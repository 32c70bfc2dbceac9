package host

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespaces of a node: everything but user and time.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// Run runs a command to its end in the namespaces of the node. prepare receives the command before it starts, with
// name looked up in the node's file system.
func (p *Process) Run(ctx context.Context, prepare func(*exec.Cmd), name string, args ...string) error {
	result := make(chan error, 1)
	go func() {
		// The thread takes on the node's namespaces and is of no use to others: it stays locked and so ends with
		// this goroutine.
		runtime.LockOSThread()
		result <- p.runHere(ctx, prepare, name, args)
	}()
	return <-result
}

func (p *Process) runHere(ctx context.Context, prepare func(*exec.Cmd), name string, args []string) error {
	// A thread that shares its root and working folder with others may not change its mount namespace.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("leave the machine's namespaces: %w", err)
	}
	if err := unix.Setns(p.fd, namespaces); err != nil {
		return fmt.Errorf("enter the node's namespaces: %w", err)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = "/"
	prepare(cmd)
	return cmd.Run()
}
