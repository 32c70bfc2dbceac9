// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
)

// crm serves each connection with a function, and counts the requests that it read in full.
type crm struct {
	serve    func(c *crm, conn net.Conn)
	arrivals atomic.Int64
	last     atomic.Pointer[http.Request]
}

func (c *crm) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer func() { _ = far.Close() }() // pipes close without error
		c.serve(c, far)
	}()
	return near, nil
}

// read reads one request from a connection; false at its end.
func (c *crm) read(r *bufio.Reader) bool {
	request, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return false
	}
	c.arrivals.Add(1)
	c.last.Store(request)
	return true
}

// answering serves requests until the client hangs up, each with this answer.
func answering(answer string) func(*crm, net.Conn) {
	return func(c *crm, conn net.Conn) {
		for r := bufio.NewReader(conn); c.read(r); {
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
	}
}

// ok is an answer with a body.
func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

var bearer = Destination{
	Endpoint: "http://acme.crm.test", Credentials: contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}},
}

// byPipe makes connections in the same way in every network.
func byPipe(dial guard.Dial) func(contract.Network) guard.Dial {
	return func(contract.Network) guard.Dial { return dial }
}

func newClient(t *testing.T, dial guard.Dial) *Client {
	t.Helper()
	c := New(Options{Dialer: byPipe(dial), Credentials: Credentials{Files: fstest.MapFS{"token": {Data: []byte("s3cret\n")}}}, Now: time.Now})
	t.Cleanup(c.Close)
	return c
}

func get() *call.Call {
	return &call.Call{Method: http.MethodGet, Target: "/api/v2/users/search?query=a%20b", Repeat: call.Repeat{Class: call.RepeatIdempotent}}
}

func body(t *testing.T, a *call.Answer) string {
	t.Helper()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return string(b)
}
