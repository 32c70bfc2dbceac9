// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Dial makes a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Dialer returns a Dial that makes TCP connections to addresses that are allowed in a network, and fails with a *Refusal before the first packet to another. Each
// address of a host is judged by itself, after its name was looked up: a name server that answers differently the next time gains nothing.
func Dialer(in contract.Network) Dial {
	dialer := &net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("guard: the address to be judged: %w", err)
		}
		return Check(in, to.Addr())
	}}
	return dialer.DialContext
}
