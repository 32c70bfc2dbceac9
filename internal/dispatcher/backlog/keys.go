// SPDX-License-Identifier: Apache-2.0

package backlog

import (
	"context"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Keys are the keys that encrypt the contents of calls: header, body, answer. There is one for each integration and day (UTC), made with the first call of that day,
// and wrapped by a key that the store does not have. Its methods may be called by many goroutines.
type Keys interface {
	// CheckKeys returns sealing.ErrNoKey while calls cannot be stored, or contents that are stored cannot be opened, for want of a wrapping key.
	CheckKeys() error
	// KeepKeys wraps all keys with the newest wrapping key, and removes those of days before now of which no call is known any more. It is to be called often.
	KeepKeys(ctx context.Context, now time.Time) (rewrapped, dropped int, err error)
	// Erase removes the keys of an integration of all days before the one of before, and gives up the callbacks of calls of those days. When it returns, nothing can be
	// read any more of the calls that they encrypted, of which none has an ID above until.
	Erase(ctx context.Context, integration string, before time.Time) (until call.ID, err error)
	// Erased looks at the first n calls of an integration behind after and up to until, and returns those that are queued or parked though their contents are erased,
	// and the last one that it looked at; empty if there was none.
	Erased(integration string, after, until call.ID, n int) (erased []Due, last call.ID, err error)
}
