// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestVersionNeedsNoCluster(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--version"}, &out); err != nil || out.String() != version+"\n" {
		t.Errorf("printed %q with error %v, want the version", out.String(), err)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"no image":        {nil, "--dispatcher-image is required"},
		"an unknown flag": {[]string{"--dispatcher-image=x", "--colour=red"}, "not defined: -colour"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context(), test.args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %q", err, test.want)
			}
		})
	}
}
