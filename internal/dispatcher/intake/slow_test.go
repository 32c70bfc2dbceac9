// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/serve"
)

// pipes is a listener of connections inside the process, which keep to virtual time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func TestSlowClientsAreCut(t *testing.T) {
	head := " /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + ccaiKey + "\r\n"
	for name, test := range map[string]struct {
		// send is what the client sends; then it does nothing, but for reading if it reads.
		send  string
		reads bool
		// answer is how what it reads starts, after is when its connection has ended.
		answer string
		after  time.Duration
	}{
		"a header that does not end":    {"GET" + head, true, "", 10 * time.Second},
		"a body that does not come":     {"POST" + head + "Content-Length: 10\r\n\r\nhalf", true, "HTTP/1.1 408 ", bodyTime},
		"an answer that nobody reads":   {"GET" + head + "\r\n", false, "", chunkTime},
		"a connection that is not used": {"GET" + head + "\r\n", true, "HTTP/1.1 200 ", 120 * time.Second},
		"a call that waits is not slow": {"GET /wait HTTP/1.1\r\n" + strings.TrimPrefix(head, " /a HTTP/1.1\r\n") + "\r\n", true, "HTTP/1.1 200 ", 300*time.Second + 120*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{plan: newPlan(), do: func(_ context.Context, c *call.Call, _ time.Duration) (*call.Answer, error) {
					if c.Target == "/wait" {
						time.Sleep(300 * time.Second)
					}
					return &call.Answer{Status: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 1<<20)))}, nil
				}}
				in := newIntake(f)
				server := serve.New(serve.Options{Handler: in, Log: in.Log})
				listener := &pipes{make(chan net.Conn), make(chan struct{})}
				go func() { _ = server.Serve(listener) }()
				ours, theirs := net.Pipe()
				listener.conns <- theirs
				start := time.Now()
				go func() { _, _ = io.WriteString(ours, test.send) }()
				text, took := watch(ours, test.reads, start)
				if !strings.HasPrefix(text, test.answer) || took != test.after {
					t.Errorf("%.60q after %v, want %q after %v", text, took, test.answer, test.after)
				}
				server.Stop(t.Context())
			})
		})
	}
}

// watch returns what comes from a connection, and how long after start it has ended. A client that does not read notices by writing.
func watch(conn net.Conn, reads bool, start time.Time) (string, time.Duration) {
	if reads {
		text, _ := io.ReadAll(bufio.NewReader(conn))
		return string(text), time.Since(start)
	}
	time.Sleep(time.Second) // the request has been sent
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := conn.Write([]byte{'\n'}); errors.Is(err, io.ErrClosedPipe) {
			return "", time.Since(start)
		}
	}
}
