// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// network leads to the CRM inside a bubble: synchronous pipes, no sockets.
type network struct {
	front  *front
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// serve runs an HTTP server at the far end until the test ends.
func serve(t *testing.T, f *front) *network {
	t.Helper()
	n := &network{front: f, accept: make(chan net.Conn), closed: make(chan struct{})}
	listener := f.listener(n)
	server := &http.Server{Handler: f, ErrorLog: log.New(io.Discard, "", 0)} //nolint:gosec // both ends are ours
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) }) // it ends by Close only
	t.Cleanup(func() {
		_ = server.Close() // pipes close without error
		wg.Wait()
	})
	return n
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

// link is one machine's access to the network.
type link struct {
	network *network
	mu      sync.Mutex
	down    bool
	conns   []net.Conn
	// until then the machine stands still: it reads and writes nothing, as after SIGSTOP.
	until time.Time
}

// pause has the machine stand still for d.
func (l *link) pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Now().Add(d)
}

// stand returns when the machine goes on.
func (l *link) stand() {
	l.mu.Lock()
	left := time.Until(l.until)
	l.mu.Unlock()
	time.Sleep(left)
}

// wire is a connection of a machine that can stand still between any two operations.
type wire struct {
	net.Conn
	link *link
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	w.link.stand()
	return w.Conn.Write(p)
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.link.stand()
	return n, err
}

func (l *link) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	l.stand()
	if err := l.network.front.reachable(ctx); err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	l.mu.Lock()
	down := l.down
	l.conns = append(l.conns, near)
	l.mu.Unlock()
	if down {
		return nil, net.ErrClosed
	}
	select {
	case l.network.accept <- far:
		return &wire{near, l}, nil
	case <-l.network.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// cut ends all connections and allows no more, as the end of a machine does.
func (l *link) cut() {
	l.mu.Lock()
	l.down = true
	l.mu.Unlock()
	l.hangUp()
}

// hangUp ends all connections that there are.
func (l *link) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close() // pipes close without error
	}
}
