// SPDX-License-Identifier: Apache-2.0

package call

import "time"

// Room is what one limit leaves to an integration, after a call or a refusal.
type Room struct {
	// Limit is the name of the limit.
	Limit string
	// Most is the most units of it that the integration's share allows, Left what it could take of them now.
	Most, Left int64
	// Window is the limit's, at most the longest that its calendar period can be.
	Window time.Duration
	// Renews is how long it takes until there is more: until the period ends, until what binds is released, or else one window.
	Renews time.Duration
}
