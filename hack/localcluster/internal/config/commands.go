package config

import (
	"fmt"
	"path/filepath"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/pki"
)

// Process is one long-running program of the node.
type Process struct {
	// Name is the program's, and that of its log.
	Name string
	// Path is the executable.
	Path string
	Args []string
}

const (
	etcdURL = "http://127.0.0.1:2379" // in the node's own network namespace
	issuer  = "https://kubernetes.default.svc.cluster.local"
	// volumePlugins replaces a default folder outside /var, which would be made on the machine.
	volumePlugins = "/var/lib/kubelet/volume-plugins"
)

// Base lists what starts at once: container runtime, store and API server.
func Base(c Cluster) []Process {
	return []Process{
		c.process("containerd", "--config="+c.State.Config("containerd.toml")),
		c.process("etcd",
			"--data-dir="+c.State.Etcd(),
			"--unsafe-no-fsync", // the store does not outlive the node
			"--listen-client-urls="+etcdURL,
			"--advertise-client-urls="+etcdURL,
			"--listen-peer-urls=http://127.0.0.1:2380",
			"--log-level=warn",
		),
		c.process("kube-apiserver", apiServerArgs(c)...),
	}
}

// Controllers lists what needs a ready API server: before its built-in roles exist, the controller manager gives up.
func Controllers(c Cluster) []Process {
	return []Process{
		c.process("kube-controller-manager", controllerManagerArgs(c)...),
		c.process("kube-scheduler", append(delegatedAuthentication(c, pki.Scheduler), "--leader-elect=false")...),
		c.process("kubelet",
			"--config="+c.State.Config("kubelet.yaml"),
			"--kubeconfig="+c.State.Kubeconfig(pki.Kubelet),
			"--hostname-override="+layout.NodeName,
			"--node-ip="+c.Networks.NodeIP.String(),
		),
		c.process("kube-proxy", "--config="+c.State.Config("kube-proxy.yaml")),
		{Name: pki.Provisioner, Path: "/proc/self/exe", Args: []string{
			"provisioner", "-kubeconfig", c.State.Kubeconfig(pki.Provisioner), "-dir", layout.Volumes, "-node", layout.NodeName,
		}},
	}
}

func (c Cluster) process(name string, args ...string) Process {
	return Process{Name: name, Path: filepath.Join(c.Binaries, name), Args: args}
}

func apiServerArgs(c Cluster) []string {
	s := c.State
	return []string{
		"--etcd-servers=" + etcdURL,
		"--advertise-address=" + c.Networks.NodeIP.String(),
		"--bind-address=" + c.Networks.NodeIP.String(),
		fmt.Sprintf("--secure-port=%d", layout.APIPort),
		"--service-cluster-ip-range=" + c.Networks.Services.String(),
		"--tls-cert-file=" + s.Certificate(pki.APIServer),
		"--tls-private-key-file=" + s.Key(pki.APIServer),
		"--client-ca-file=" + s.Certificate(pki.CA),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + s.Certificate(pki.ServiceAccounts),
		"--service-account-signing-key-file=" + s.Key(pki.ServiceAccounts),
		"--kubelet-preferred-address-types=InternalIP", // the node's name is in no DNS
		"--kubelet-client-certificate=" + s.Certificate(pki.APIServerKubelet),
		"--kubelet-client-key=" + s.Key(pki.APIServerKubelet),
		"--kubelet-certificate-authority=" + s.Certificate(pki.CA),
		"--requestheader-client-ca-file=" + s.Certificate(pki.FrontProxyCA),
		"--requestheader-allowed-names=" + pki.FrontProxyClient,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + s.Certificate(pki.FrontProxyClient),
		"--proxy-client-key-file=" + s.Key(pki.FrontProxyClient),
		"--audit-policy-file=" + s.Config("audit-policy.yaml"),
		"--audit-log-path=" + s.AuditLog(),
	}
}

func controllerManagerArgs(c Cluster) []string {
	s := c.State
	return append(delegatedAuthentication(c, pki.ControllerManager),
		"--leader-elect=false",
		// With the default limits the default ServiceAccount exists only after 5 s, and pods are refused before.
		"--kube-api-qps=300",
		"--kube-api-burst=500",
		"--use-service-account-credentials",
		"--service-account-private-key-file="+s.Key(pki.ServiceAccounts),
		"--root-ca-file="+s.Certificate(pki.CA),
		"--cluster-signing-cert-file="+s.Certificate(pki.CA),
		"--cluster-signing-key-file="+s.Key(pki.CA),
		"--allocate-node-cidrs",
		"--cluster-cidr="+c.Networks.Pods.String(),
		fmt.Sprintf("--node-cidr-mask-size=%d", c.Networks.Pods.Bits()),
		"--service-cluster-ip-range="+c.Networks.Services.String(),
		"--flex-volume-plugin-dir="+volumePlugins,
	)
}

// delegatedAuthentication is how a component reaches the API server and has it check who asks the component itself.
func delegatedAuthentication(c Cluster, user string) []string {
	kubeconfig := c.State.Kubeconfig(user)
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1",
	}
}
