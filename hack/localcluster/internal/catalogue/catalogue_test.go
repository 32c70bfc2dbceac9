package catalogue

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/modfile"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

func TestSelect(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"envtest needs the API server, its store and kubectl": {[]string{"envtest"}, []string{"kube-apiserver", "etcd", "kubectl"}},
		"components can be named one by one":                  {[]string{"runc", "etcd"}, []string{"etcd", "runc"}},
		"a component in two groups is built once":             {[]string{"envtest", "etcd"}, []string{"kube-apiserver", "etcd", "kubectl"}},
		"everything is the default":                           {nil, names(All())},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Select(test.args)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, names(got)); diff != "" {
				t.Errorf("selected (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := Select([]string{"etcd", "kubelte"}); err == nil || !strings.Contains(err.Error(), `"kubelte"`) || !strings.Contains(err.Error(), "kubelet") {
		t.Errorf("a misspelt name: %v", err)
	}
}

// The go.mod files pin what is built; this catalogue says how. They must name the same programs.
func TestEveryPinnedToolIsBuiltAndEveryBuiltProgramIsPinned(t *testing.T) {
	paths, err := layout.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	for module, built := range packages() {
		file := filepath.Join(paths.Module(module), "go.mod")
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := modfile.Parse(file, content, nil)
		if err != nil {
			t.Fatal(err)
		}
		var pinned []string
		for _, tool := range parsed.Tool {
			pinned = append(pinned, tool.Path)
		}
		slices.Sort(pinned)
		if diff := cmp.Diff(pinned, built); diff != "" {
			t.Errorf("module %s (-pinned +built):\n%s", module, diff)
		}
	}
}

// packages lists the foreign packages of the catalogue by module; a module's own package needs no pin.
func packages() map[string][]string {
	found := map[string][]string{}
	for _, c := range All() {
		if found[c.Module] == nil {
			found[c.Module] = []string(nil)
		}
		if c.Package != "." {
			found[c.Module] = append(found[c.Module], c.Package)
		}
	}
	for _, list := range found {
		slices.Sort(list)
	}
	return found
}
