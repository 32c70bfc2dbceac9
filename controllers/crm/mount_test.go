// SPDX-License-Identifier: Apache-2.0

package crm

import "testing"

func TestMountAnnotation(t *testing.T) {
	tests := map[string]struct {
		have string
		late bool
		want string
	}{
		"a new pod gets the sequence":               {"", false, "7"},
		"a new plan replaces an older one's":        {"6", false, "7"},
		"and one that was asked for twice":          {"6-again", true, "7"},
		"nothing is written while it may be coming": {"7", false, "7"},
		"it is asked for once more":                 {"7", true, "7-again"},
		"but not a third time":                      {"7-again", true, "7-again"},
		"and not undone when it has come":           {"7-again", false, "7-again"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := mountAnnotation(test.have, 7, test.late); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
