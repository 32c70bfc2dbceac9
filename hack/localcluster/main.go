// Command localcluster builds and runs a real one-node Kubernetes cluster from pinned Go modules, on a bare Linux
// machine and without a registry. See hack/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	var failed *exec.ExitError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &failed) && len(os.Args) > 1 && os.Args[1] == "exec":
		os.Exit(failed.ExitCode())
	default:
		fmt.Fprintln(os.Stderr, "localcluster:", err)
		os.Exit(1)
	}
}

// run executes the command that args name.
func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		usage()
		return errors.New("which command?")
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:])
		}
	}
	usage()
	return fmt.Errorf("no command is called %q", args[0])
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: localcluster COMMAND [arguments]")
	for _, c := range commands() {
		if c.help != "" {
			fmt.Fprintf(os.Stderr, "  %-44s %s\n", c.name+" "+c.args, c.help)
		}
	}
}
