// SPDX-License-Identifier: Apache-2.0

// Package pipes is a network in memory, for servers and clients in one synctest bubble.
package pipes

import (
	"context"
	"net"
)

// Listener hands the other end of each dialled connection to the server.
type Listener chan net.Conn

// Dial is the DialContext of a client's transport; every address is the server's.
func (l Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l Listener) Accept() (net.Conn, error) {
	conn, open := <-l
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close implements net.Listener.
func (l Listener) Close() error {
	close(l)
	return nil
}

// Addr implements net.Listener.
func (l Listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }
