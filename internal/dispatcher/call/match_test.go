// SPDX-License-Identifier: Apache-2.0

package call_test

import (
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func TestPathMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"/", "/", true}, {"/a", "/a", true}, {"/a", "/a/", false}, {"/a", "/b", false}, {"/a/*", "/a/b", true}, {"/a/*", "/a/b/c", false}, {"/a/*/c", "/a/b/c", true},
		{"/a/**", "/a", true}, {"/a/**", "/a/b", true}, {"/a/**", "/a/b/c", true}, {"/a/**", "/ab", false}, {"/*/x/**", "/a/x/y/z", true}, {"/*/x/**", "/a/y/y/z", false},
		{"/**", "/", true}, {"/**", "/a/b", true}, {"/a%20b", "/a b", true}, {"/a%zz", "/a%zz", false},
	} {
		if got := call.PathMatches(test.pattern, test.path); got != test.want {
			t.Errorf("PathMatches(%q, %q) = %v", test.pattern, test.path, got)
		}
	}
}
