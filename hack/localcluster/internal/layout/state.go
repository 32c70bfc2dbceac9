package layout

import "path/filepath"

// NodeName is the name of the cluster's only node.
const NodeName = "node1"

// APIPort is the API server's TCP port on the node's address.
const APIPort = 6443

// State is the folder of one cluster. It lives as long as the cluster, except for the logs, which Down leaves.
type State struct{ Dir string }

// Key is the private half of a key pair, as a PEM file.
func (s State) Key(name string) string { return filepath.Join(s.Dir, "pki", name+".key") }

// Certificate is the public half of a key pair, as a PEM file.
func (s State) Certificate(name string) string { return filepath.Join(s.Dir, "pki", name+".crt") }

// AdminKubeconfig is the file for people and tests.
func (s State) AdminKubeconfig() string { return filepath.Join(s.Dir, "kubeconfig") }

// Kubeconfig is the file of one of the cluster's own components.
func (s State) Kubeconfig(user string) string {
	return filepath.Join(s.Dir, "kubeconfigs", user)
}

// Config is a component's configuration file.
func (s State) Config(name string) string { return filepath.Join(s.Dir, "config", name) }

// Logs is the folder of all logs.
func (s State) Logs() string { return filepath.Join(s.Dir, "logs") }

// Log is the log of a component.
func (s State) Log(name string) string { return filepath.Join(s.Logs(), name+".log") }

// AuditLog has one JSON line for each write that the API server took, with the user who made it.
func (s State) AuditLog() string { return filepath.Join(s.Logs(), "audit.log") }

// Var is what the node sees as /var.
func (s State) Var() string { return filepath.Join(s.Dir, "var") }

// Etcd is the API server's store.
func (s State) Etcd() string { return filepath.Join(s.Dir, "etcd") }

// Lock is held while a cluster is started or ended. It also marks the folder as one of ours, whose content may be
// removed.
func (s State) Lock() string { return filepath.Join(s.Dir, ".localcluster") }

// Record says which process is the node.
func (s State) Record() string { return filepath.Join(s.Dir, "node.json") }

// Paths inside the node.
const (
	// ContainerdSocket is where the container runtime listens.
	ContainerdSocket = "/run/containerd/containerd.sock"
	// Volumes holds the folders of dynamically provisioned volumes.
	Volumes = "/var/lib/localcluster/volumes"
)
