// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"errors"
	"sync/atomic"
)

// ErrNoCharge refuses a request without a charge, or under one that was used before. Nothing was sent.
var ErrNoCharge = errors.New("a request to the CRM needs a charge of its own")

// Charge permits one request on the wire. The zero value permits none.
type Charge struct {
	unused atomic.Bool
}

// Issue returns a charge for one request. Only the scheduler calls it, once for each charge of the ledger whose intent is durable.
func Issue() *Charge {
	c := &Charge{}
	c.unused.Store(true)
	return c
}

// use consumes the charge.
func (c *Charge) use() error {
	if c == nil || !c.unused.CompareAndSwap(true, false) {
		return ErrNoCharge
	}
	return nil
}
