// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"net/http"
	"testing"
)

// TestMemoryIsBounded: what was not used for longest makes room.
func TestMemoryIsBounded(t *testing.T) {
	c := New()
	keys := 3 * maxBytes / MaxBody
	for i := range keys {
		c.Put(Key{byte(i), byte(i >> 8)}, Answer{Body: make([]byte, MaxBody)})
		if _, kept := c.Get(Key{}); !kept {
			t.Fatalf("what is used all the time was forgotten after %d answers", i)
		}
	}
	if c.bytes > maxBytes || c.bytes < maxBytes/2 {
		t.Errorf("%d bytes are kept, %d are allowed", c.bytes, maxBytes)
	}
	if _, kept := c.Get(Key{1}); kept {
		t.Error("the oldest answer is still kept")
	}
	before := c.bytes
	c.Put(Key{}, Answer{Body: make([]byte, MaxBody)})
	if c.bytes != before {
		t.Errorf("an answer in place of an equal one takes %d bytes more", c.bytes-before)
	}
}

func TestWhatIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		want   bool
	}{
		"an answer":                   {200, http.Header{}, true},
		"one that is stale at once":   {200, http.Header{"Cache-Control": {"max-age=0, private"}}, true},
		"one that must not be stored": {200, http.Header{"Cache-Control": {"private, No-Store"}}, false},
		"one that is never the same":  {200, http.Header{"Vary": {"*"}}, false},
		"an error":                    {404, http.Header{}, false},
	} {
		if got := Keepable(c.status, c.header); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	for name, c := range map[string]struct {
		header http.Header
		want   bool
	}{
		"a request":                {http.Header{"Accept": {"application/json"}}, true},
		"one with a condition":     {http.Header{"If-None-Match": {`"x"`}}, false},
		"one of a part":            {http.Header{"Range": {"bytes=0-9"}}, false},
		"one that wants it new":    {http.Header{"Cache-Control": {"no-cache"}}, false},
		"one that wants it so too": {http.Header{"Cache-Control": {"max-age=0"}}, false},
	} {
		if got := Wanted(c.header); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
