// SPDX-License-Identifier: Apache-2.0

// Package ports finds where the processes of tests can listen.
package ports

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// What is given out lies below the ports that Linux takes for outgoing connections, unless it was told otherwise: those of a client that goes on while the process that
// it calls is started again would sooner or later take that process's port.
const first, last = 20_000, 32_767

// next is where to look next: processes of tests that run at the same time begin at different places.
var next atomic.Int64

func init() { next.Store(rand.Int64N(last - first)) }

// Free returns a loopback address on which nothing listens, and not the same again for thousands of others.
func Free(tb testing.TB) string {
	tb.Helper()
	port, err := Unused(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return address(port)
}

// Unused is the port of such an address.
func Unused(ctx context.Context) (int, error) {
	for range last - first {
		port := first + int(next.Add(1)%(last-first))
		if listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address(port)); err == nil { // else it is somebody else's
			return port, listener.Close()
		}
	}
	return 0, errors.New("there is no free port on 127.0.0.1")
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
