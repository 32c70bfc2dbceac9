// SPDX-License-Identifier: Apache-2.0

package call

import (
	"maps"
	"net/http"
	"strings"
)

// hopByHop headers are about one connection (RFC 9110 7.6.1).
var hopByHop = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings", "Proxy-Authenticate", "Proxy-Authorization",
}

// EndToEnd is a header without what is about one connection, that which Connection names included. It has its values in common with the one given: they may be
// replaced, not changed.
func EndToEnd(header http.Header) http.Header {
	out := maps.Clone(header)
	if out == nil {
		out = http.Header{}
	}
	for _, value := range header["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			out.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		delete(out, name)
	}
	return out
}

// IsJSON says whether a Content-Type is that of JSON.
func IsJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/json" || strings.HasSuffix(media, "+json")
}
