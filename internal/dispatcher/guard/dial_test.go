// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// listening counts the connections that are made to a port of this machine.
func listening(t *testing.T) (port string, made *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	made = new(atomic.Int64)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			made.Add(1)
			_ = conn.Close()
		}
	}()
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, made
}

// TestDialer: whatever a host is called, the address that it leads to is judged before anything arrives there.
func TestDialer(t *testing.T) {
	port, made := listening(t)
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1"} {
		conn, err := Dialer(contract.NetworkPublic)(t.Context(), "tcp", net.JoinHostPort(host, port))
		if refusal, is := errors.AsType[*Refusal](err); conn != nil || !is || !refusal.private {
			t.Errorf("%s in the public network: %v", host, err)
		}
	}
	for _, host := range []string{"0.0.0.0", "::", "169.254.169.254", "fe80::1%lo"} {
		conn, err := Dialer(contract.NetworkPrivate)(t.Context(), "tcp", net.JoinHostPort(host, port))
		if refusal, is := errors.AsType[*Refusal](err); conn != nil || !is || refusal.private {
			t.Errorf("%s in a private network: %v", host, err)
		}
	}
	conn, err := Dialer(contract.NetworkPrivate)(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	for deadline := time.Now().Add(10 * time.Second); made.Load() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if n := made.Load(); n != 1 {
		t.Errorf("%d connections were made, want the allowed one", n)
	}
}

// TestErrorsOfTheDialerStay: what is no refusal is none.
func TestErrorsOfTheDialerStay(t *testing.T) {
	_, err := Dialer(contract.NetworkPrivate)(t.Context(), "tcp", "127.0.0.1:1")
	if _, is := errors.AsType[*Refusal](err); err == nil || is || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}
