// Package catalogue lists the programs a local cluster is made of and how each is built. Versions are not written
// here: they are the ones pinned in the go.mod files under hack/modules.
package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/image"
)

// Component is one program and how it is built.
type Component struct {
	// Name is the program's file name.
	Name string
	// Module is the folder below hack/modules whose go.mod pins it.
	Module string
	// Package is what is compiled, as an import path or relative to the module.
	Package string
	// Release is the module whose pinned version the program reports as its own; empty if it reports none.
	Release string
	// Stamp gives the linker's -X settings for that version ("v1.2.3").
	Stamp func(version string) []string
	// Tags are build tags.
	Tags []string
	// CGO says that the program needs a C compiler; it is linked statically all the same.
	CGO bool
	// Image, if set, is packed around the binary: the program runs as a container.
	Image *image.Config
}

// Images the cluster itself runs.
const (
	PauseImage   = "localhost/crmquota/pause:local"
	CoreDNSImage = "localhost/crmquota/coredns:local"
)

// noUser is the user id of images whose programs need no rights.
const noUser = "65532:65532"

// All lists every component in the order in which they are built: what tests need comes first.
func All() []Component {
	return slices.Concat(envtest(), controlPlane(), runtime(), network(), images())
}

// Select returns the components named by args, each a component or a group: "envtest" (an API server for tests) or
// "cluster" (everything). No args means "cluster". An unknown name is an error that lists the known ones.
func Select(args []string) ([]Component, error) {
	if len(args) == 0 {
		args = []string{"cluster"}
	}
	wanted := map[string]bool{}
	for _, arg := range args {
		found := group(arg)
		if len(found) == 0 {
			return nil, fmt.Errorf("no component or group is called %q; there are the groups envtest and cluster, and %s", arg, strings.Join(names(All()), ", "))
		}
		for _, name := range found {
			wanted[name] = true
		}
	}
	return slices.DeleteFunc(All(), func(c Component) bool { return !wanted[c.Name] }), nil
}

func group(arg string) []string {
	switch all := names(All()); {
	case arg == "cluster":
		return all
	case arg == "envtest":
		return names(envtest())
	case slices.Contains(all, arg):
		return []string{arg}
	default:
		return nil
	}
}

func names(components []Component) []string {
	all := make([]string, 0, len(components))
	for _, c := range components {
		all = append(all, c.Name)
	}
	return all
}

func envtest() []Component {
	etcd := Component{Name: "etcd", Module: "kubernetes", Package: "go.etcd.io/etcd/server/v3"}
	return []Component{kubernetes("kube-apiserver"), etcd, kubernetes("kubectl")}
}

func controlPlane() []Component {
	return []Component{
		kubernetes("kube-controller-manager"),
		kubernetes("kube-scheduler"),
		kubernetes("kubelet"),
		kubernetes("kube-proxy"),
	}
}

func runtime() []Component {
	return []Component{
		containerd("containerd"),
		containerd("containerd-shim-runc-v2"),
		containerd("ctr"),
		{
			Name: "runc", Module: "runc", Package: "github.com/opencontainers/runc",
			Release: "github.com/opencontainers/runc",
			Stamp:   func(v string) []string { return []string{"main.version=" + strings.TrimPrefix(v, "v")} },
			// Without seccomp no pod starts: the kubelet asks for the runtime's default profile.
			Tags: []string{"urfave_cli_no_docs", "seccomp", "netgo", "osusergo"},
			CGO:  true,
		},
	}
}

func network() []Component {
	const plugins = "github.com/containernetworking/plugins/plugins/"
	return []Component{
		{Name: "ptp", Module: "cni", Package: plugins + "main/ptp"},
		{Name: "loopback", Module: "cni", Package: plugins + "main/loopback"},
		{Name: "host-local", Module: "cni", Package: plugins + "ipam/host-local"},
		{Name: "portmap", Module: "cni", Package: plugins + "meta/portmap"},
	}
}

func images() []Component {
	return []Component{
		{Name: "pause", Module: "pause", Package: ".", Image: &image.Config{Tag: PauseImage, User: noUser}},
		{Name: "coredns", Module: "coredns", Package: ".", Image: &image.Config{Tag: CoreDNSImage, User: noUser}},
	}
}

func kubernetes(command string) Component {
	return Component{
		Name: command, Module: "kubernetes", Package: "k8s.io/kubernetes/cmd/" + command,
		Release: "k8s.io/kubernetes",
		Stamp: func(v string) []string {
			const pkg = "k8s.io/component-base/version."
			parts := strings.Split(strings.TrimPrefix(v, "v"), ".")
			return []string{pkg + "gitVersion=" + v, pkg + "gitMajor=" + parts[0], pkg + "gitMinor=" + parts[1], pkg + "gitTreeState=clean"}
		},
	}
}

func containerd(command string) Component {
	const module = "github.com/containerd/containerd/v2"
	return Component{
		Name: command, Module: "containerd", Package: module + "/cmd/" + command,
		Release: module,
		Stamp: func(v string) []string {
			return []string{module + "/version.Version=" + v, module + "/version.Revision="}
		},
		Tags: []string{"urfave_cli_no_docs", "no_btrfs", "no_devmapper", "no_zfs"},
	}
}
