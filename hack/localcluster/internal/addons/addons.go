// Package addons installs what a bare control plane lacks: rights of the cluster's own components, volumes, and DNS.
package addons

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"text/template"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/pki"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/provisioner"
)

//go:embed *.yaml
var manifests embed.FS

// Namespace and DNS name the Deployment whose availability completes a cluster.
const (
	Namespace = "kube-system"
	DNS       = "coredns"
)

// Render returns the objects to install, in order.
func Render(networks layout.Networks) ([]*unstructured.Unstructured, error) {
	values := map[string]any{
		"CoreDNSImage":        catalogue.CoreDNSImage,
		"DNS":                 networks.DNS,
		"KubeletClientsGroup": pki.KubeletClientsGroup,
		"Provisioner":         provisioner.Name,
	}
	var objects []*unstructured.Unstructured
	for _, name := range []string{"access.yaml", "storage.yaml", "coredns.yaml"} {
		parsed, err := template.New(name).Option("missingkey=error").ParseFS(manifests, name)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if err := parsed.Execute(&out, values); err != nil {
			return nil, err
		}
		decoded, err := decode(&out)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		objects = append(objects, decoded...)
	}
	return objects, nil
}

func decode(manifest io.Reader) ([]*unstructured.Unstructured, error) {
	const lookAhead = 4096 // to tell JSON from YAML
	decoder := yaml.NewYAMLOrJSONDecoder(manifest, lookAhead)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

// Apply installs the add-ons, or brings them up to date.
func Apply(ctx context.Context, config *rest.Config, networks layout.Networks) error {
	objects, err := Render(networks)
	if err != nil {
		return err
	}
	api, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	for _, object := range objects {
		intent := client.ApplyConfigurationFromUnstructured(object)
		if err := api.Apply(ctx, intent, client.FieldOwner("localcluster"), client.ForceOwnership); err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}
