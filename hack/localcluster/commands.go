package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/build"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/debian"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/image"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

// command is one command of the tool. One without help text is started by the tool itself only.
type command struct {
	name, args, help string
	run              func(ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"build", "[envtest|cluster|COMPONENT...]", "build the pinned binaries, or take them from the cache", runBuild},
		{"up", "[-slot N] [-state DIR]", "start the cluster", runUp},
		{"down", "[-state DIR]", "end the cluster and remove all of it but its logs", runDown},
		{"status", "[-state DIR]", "show what runs", runStatus},
		{"load", "[-state DIR] IMAGE.tar...", "import images into the node", runLoad},
		{"exec", "[-state DIR] COMMAND [ARG...]", "run a command in the node", runExec},
		{"kubeconfig", "[-state DIR]", "print the file for KUBECONFIG", runKubeconfig},
		{"image", "-o FILE -t NAME [flags] SRC=/DST...", "pack files into an image FROM scratch", runImage},
		{name: "node", run: runNode},
		{name: supervisorCommand, run: runSupervisor},
		{name: "provisioner", run: runProvisioner},
	}
}

func runBuild(ctx context.Context, args []string) error {
	components, err := catalogue.Select(args)
	if err != nil {
		return err
	}
	paths, err := layout.Find(".")
	if err != nil {
		return err
	}
	return ensureBuilt(ctx, paths, progress.New(os.Stderr), components)
}

func ensureBuilt(ctx context.Context, paths layout.Paths, printer *progress.Printer, components []catalogue.Component) error {
	builder := build.Builder{
		Paths:   paths,
		Printer: printer,
		Prepare: func(ctx context.Context, c catalogue.Component) error {
			if !c.CGO {
				return nil
			}
			return debian.Ensure(ctx, debian.CgoToolchain(), printer.Note)
		},
	}
	return builder.Ensure(ctx, components)
}

func runImage(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	out := flags.String("o", "", "`file` to write (required)")
	var config image.Config
	flags.StringVar(&config.Tag, "t", "", "image `name` with its tag, such as localhost/app:dev (required)")
	flags.StringVar(&config.User, "user", "65532:65532", "`uid:gid` that runs the program")
	flags.StringVar(&config.Entrypoint, "entrypoint", "", "`path` of the program in the image (default the first file)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || config.Tag == "" {
		return fmt.Errorf("image needs -o FILE and -t NAME")
	}
	var files []image.File
	for _, arg := range flags.Args() {
		file, err := image.ParseFile(arg)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	digest, err := image.Write(*out, config, files)
	if err != nil {
		return err
	}
	fmt.Println(config.Tag, digest)
	return nil
}
