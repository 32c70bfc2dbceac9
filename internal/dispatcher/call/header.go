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

// Traced says whether a trace is recorded that the call belongs to: by the last flag of its traceparent header (W3C Trace Context).
func (c *Call) Traced() bool { return Traced(c.Header) }

// Traced is Call.Traced of the call's header.
func Traced(header http.Header) bool {
	const before = len("00-0123456789abcdef0123456789abcdef-0123456789abcdef-0")
	values := header["Traceparent"]
	return len(values) == 1 && len(values[0]) > before && strings.IndexByte("13579bdf", values[0][before]) >= 0
}

// IsJSON says whether a Content-Type is that of JSON.
func IsJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/json" || strings.HasSuffix(media, "+json")
}
