// SPDX-License-Identifier: Apache-2.0

package call

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEndToEnd(t *testing.T) {
	header := http.Header{
		"Connection": {"close, X-Session", "x-other"}, "X-Session": {"1"}, "X-Other": {"2"}, "Te": {"trailers"}, "Http2-Settings": {"a"},
		"Content-Type": {"text/plain"}, "X-Kept": {"3", "4"},
	}
	before := header.Clone()
	if diff := cmp.Diff(http.Header{"Content-Type": {"text/plain"}, "X-Kept": {"3", "4"}}, EndToEnd(header)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, header); diff != "" {
		t.Errorf("the header itself was changed: %s", diff)
	}
	if got := EndToEnd(nil); got == nil {
		t.Error("nothing can be set in the header of a call without any")
	}
	for _, name := range hopByHop {
		if http.CanonicalHeaderKey(name) != name {
			t.Errorf("%q is not canonical", name)
		}
	}
}
