// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// network connects the dispatcher with the CRM inside a bubble: synchronous pipes, no sockets.
type network struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// serve runs an HTTP server at the other end until the test ends.
func serve(t *testing.T, handler http.Handler) *network {
	t.Helper()
	n := &network{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler} //nolint:gosec // both ends are ours
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(n) })
	t.Cleanup(func() {
		_ = server.Close()
		wg.Wait()
	})
	return n
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.accept <- server:
		return client, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept implements net.Listener.
func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accept:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr implements net.Listener.
func (n *network) Addr() net.Addr { return &net.UnixAddr{Name: "crm", Net: "pipe"} }
