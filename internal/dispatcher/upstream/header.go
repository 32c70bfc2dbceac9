// SPDX-License-Identifier: Apache-2.0

package upstream

// clientOnly headers of a call are never forwarded: a client's credentials are for us, Expect would make the exchange two, and the transport decompresses.
var clientOnly = []string{"Authorization", "Cookie", "Expect", "Accept-Encoding", "Content-Length", "Host"}
