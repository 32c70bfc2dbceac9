// SPDX-License-Identifier: Apache-2.0

package dispatcher

import (
	"context"
	"errors"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
)

// keepKeysEvery is how soon a new wrapping key is used for what the former one had wrapped, and a data key that nothing needs is removed.
const keepKeysEvery = time.Minute

// encryption says how contents are encrypted by the plan in force; nil if they are not, and before the first plan.
func (d *Dispatcher) encryption() *contract.Encryption {
	if d.Scheduler == nil { // it is being made, and reads no contents
		return nil
	}
	if plan, _ := d.Scheduler.Plan(); plan != nil {
		return plan.Encryption
	}
	return nil
}

// keepKeys looks after the data keys until ctx ends. A failure is tried again: a missing key is in the report, and what the store cannot write ends the process.
func (d *Dispatcher) keepKeys(ctx context.Context) {
	tick := time.NewTicker(keepKeysEvery)
	defer tick.Stop()
	for {
		rewrapped, dropped, err := d.store.KeepKeys(ctx, time.Now())
		if rewrapped > 0 {
			d.log.Info("Data keys are wrapped with the newest encryption key, and the former one is not needed for them any more", "keys", rewrapped)
		}
		if dropped > 0 {
			d.log.Info("Data keys were removed: no call that they encrypted is known any more", "keys", dropped)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, sealing.ErrNoKey) {
			d.log.Error("Data keys could not be looked after", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
