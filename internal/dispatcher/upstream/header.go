// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"net/http"
	"strings"
)

// hopByHop headers belong to one connection (RFC 9110 7.6.1).
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// clientOnly headers of a call are never forwarded: a client's credentials are for us, Expect would make the exchange two, and the transport decompresses.
var clientOnly = []string{"Authorization", "Cookie", "Expect", "Accept-Encoding", "Content-Length", "Host"}

// endToEnd returns a copy of h without the headers that belong to one connection.
func endToEnd(h http.Header) http.Header {
	kept := h.Clone()
	if kept == nil {
		kept = http.Header{}
	}
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			kept.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		kept.Del(name)
	}
	return kept
}
