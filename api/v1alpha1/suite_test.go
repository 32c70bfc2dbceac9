// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/crmquota/crm-quota-operator/internal/testenv"
)

var config *rest.Config

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, func(c *rest.Config) { config = c }))
}

// edits change a manifest before it is sent: a path such as spec.licence.limits[0].calls to the value it gets, nil to remove it.
type edits map[string]any

// verdict is an edit of a valid manifest and the part of the API server's answer that must name field and rule; empty when the manifest must be taken.
type verdict struct {
	edits  edits
	reason string
}

// manifest parses YAML and applies edits in order of path.
func manifest(t *testing.T, text, namespace string, e edits) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict([]byte(text), &u.Object); err != nil {
		t.Fatalf("parsing the manifest: %v", err)
	}
	u.SetNamespace(namespace)
	for _, path := range slices.Sorted(maps.Keys(e)) {
		set(t, u.Object, path, e[path])
	}
	return u
}

func set(t *testing.T, object map[string]any, path string, value any) {
	t.Helper()
	field, rest, nested := strings.Cut(path, ".")
	name, index, indexed := strings.Cut(strings.TrimSuffix(field, "]"), "[")
	switch {
	case indexed:
		n, err := strconv.Atoi(index)
		list, ok := object[name].([]any)
		if err != nil || !ok || n >= len(list) || !nested {
			t.Fatalf("edit of %q: no such element", path)
		}
		set(t, list[n].(map[string]any), rest, value)
	case nested:
		child, ok := object[name].(map[string]any)
		if !ok {
			child = map[string]any{}
			object[name] = child
		}
		set(t, child, rest, value)
	case value == nil:
		delete(object, name)
	default:
		object[name] = value
	}
}

// judge sends each edited manifest to the API server, which takes or refuses it; nothing is stored.
func judge(t *testing.T, base string, table map[string]verdict) {
	t.Helper()
	c := testenv.Client(t, config)
	namespace := testenv.Namespace(t, c)
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			err := c.Create(t.Context(), manifest(t, base, namespace, row.edits), client.DryRunAll)
			check(t, err, row.reason)
		})
	}
}

// judgeUpdate creates a manifest and edits it, for rules that compare with what is stored. from is applied before the creation.
func judgeUpdate(t *testing.T, base string, from edits, table map[string]verdict) {
	t.Helper()
	c := testenv.Client(t, config)
	namespace := testenv.Namespace(t, c)
	stored := manifest(t, base, namespace, from)
	if err := c.Create(t.Context(), stored); err != nil {
		t.Fatalf("creating the manifest that is edited: %v", err)
	}
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			edited := stored.DeepCopy()
			for _, path := range slices.Sorted(maps.Keys(row.edits)) {
				set(t, edited.Object, path, row.edits[path])
			}
			check(t, c.Update(t.Context(), edited, client.DryRunAll), row.reason)
		})
	}
}

func check(t *testing.T, err error, reason string) {
	t.Helper()
	switch {
	case reason == "" && err != nil:
		t.Fatalf("refused: %v", err)
	case reason != "" && err == nil:
		t.Fatalf("taken, but must be refused with %q", reason)
	case reason != "" && !strings.Contains(err.Error(), reason):
		t.Fatalf("refused with %v; want it to say %q", err, reason)
	}
}

// list makes a JSON list of maps.
func list(items ...map[string]any) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}
