package addons

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/golden"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

func TestObjectsAreAsReviewed(t *testing.T) {
	networks, err := layout.NetworksOf(1)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := Render(networks)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, object := range objects {
		out, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(out))
	}
	golden.Check(t, "objects.yaml", text.String())
}
