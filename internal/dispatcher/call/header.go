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
	return KeepEndToEnd(out)
}

// KeepEndToEnd is EndToEnd of a header that nobody else needs: it is changed, and returned.
func KeepEndToEnd(header http.Header) http.Header {
	for _, value := range header["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		delete(header, name)
	}
	return header
}
