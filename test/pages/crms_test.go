// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// TestEachCRMHasAPageWithItsOperations: the page lists those that the provider knows, and names no other in its table of them.
func TestEachCRMHasAPageWithItsOperations(t *testing.T) {
	index := read(t, "docs/crms/README.md")
	for _, p := range provider.All() {
		name := strings.TrimSuffix(strings.ToLower(p.Name()), "crm")
		if !strings.Contains(index, "]("+name+".md) | `"+p.Name()+"`") {
			t.Errorf("docs/crms/README.md does not lead to the page of %s", p.Name())
		}
		page := read(t, "docs/crms/"+name+".md")
		var known []string
		for _, o := range p.Operations() {
			known = append(known, o.Name)
		}
		var listed []string
		_, section, _ := strings.Cut(page, "## Operations")
		for line := range strings.Lines(section) {
			if strings.HasPrefix(line, "## ") {
				break
			}
			if strings.HasPrefix(line, "| ") {
				for _, match := range inCode.FindAllStringSubmatch(line, -1) {
					listed = append(listed, match[1])
				}
			}
		}
		slices.Sort(listed)
		if !slices.Equal(listed, known) {
			t.Errorf("the page of %s lists %v, the provider knows %v", p.Name(), listed, known)
		}
	}
}
