// Package config renders the configuration files and command lines of a cluster's components. It writes nothing and
// starts nothing.
package config

import (
	"bytes"
	"embed"
	"fmt"
	"text/template"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

//go:embed files
var templates embed.FS

// Cluster is what the files and command lines depend on.
type Cluster struct {
	Networks layout.Networks
	State    layout.State
	// Binaries is the folder of the built programs.
	Binaries string
}

// Images lists the files of the images that the cluster runs itself.
func (c Cluster) Images() []string {
	var files []string
	for _, component := range catalogue.All() {
		if component.Image != nil {
			files = append(files, layout.ImageFile(c.Binaries, component.Name))
		}
	}
	return files
}

// files maps the name below the state's config folder to the template it is made of.
func files() map[string]string {
	return map[string]string{
		"containerd.toml":      "containerd.toml",
		"cni/10-pods.conflist": "10-pods.conflist",
		"kubelet.yaml":         "kubelet.yaml",
		"kube-proxy.yaml":      "kube-proxy.yaml",
		"audit-policy.yaml":    "audit-policy.yaml",
		"hosts":                "hosts",
		"guard.nft":            "guard.nft",
	}
}

// Files renders all configuration files, by their name below the state's config folder.
func Files(c Cluster) (map[string][]byte, error) {
	rendered := map[string][]byte{
		"resolv.conf": nil, // pods that use the node's resolver have none: no name server outside can be reached
	}
	for name, source := range files() {
		parsed, err := template.New(source).Option("missingkey=error").ParseFS(templates, "files/"+source)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if err := parsed.Execute(&out, data{c}); err != nil {
			return nil, fmt.Errorf("render %s: %w", name, err)
		}
		rendered[name] = out.Bytes()
	}
	return rendered, nil
}

// data is what the templates see: the cluster and the fixed names.
type data struct{ Cluster }

func (data) NodeName() string         { return layout.NodeName }
func (data) ContainerdSocket() string { return layout.ContainerdSocket }
func (data) PauseImage() string       { return catalogue.PauseImage }
