// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// FuzzAnswer: whatever bytes a server answers with before it closes, they are an answer or an error, never both, and one request arrived. The request was sent.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		ok("{}"), "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8bgarbage", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: -9223372036854775808\r\nContent-Length: 0\r\n\r\n",
		"HTTP/9.9 200 OK\r\n\r\n", "\x00\xff\r\n", "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nConnection: close\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		server := &crm{serve: func(c *crm, conn net.Conn) {
			if c.read(bufio.NewReader(conn)) {
				_, _ = conn.Write(answer) // the client may have heard enough
			}
		}}
		post := &call.Call{Method: http.MethodPost, Target: "/x", Body: []byte("{}")}
		o := newClient(t, server.dial).Send(t.Context(), Issue(), bearer, post)
		if (o.Answer == nil) == (o.Err == nil) || !o.Sent {
			t.Fatalf("the outcome of %q is %+v", answer, o)
		}
		if o.Answer != nil {
			_, _ = io.Copy(io.Discard, o.Answer.Body)
			_ = o.Answer.Body.Close()
		}
		if n := server.arrivals.Load(); n != 1 {
			t.Fatalf("%d requests arrived", n)
		}
	})
}
