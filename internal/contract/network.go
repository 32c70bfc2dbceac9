// SPDX-License-Identifier: Apache-2.0

package contract

// Network says where a CRM and its token endpoints may be.
type Network string

// The networks.
const (
	// NetworkPublic is the internet.
	NetworkPublic Network = ""
	// NetworkPrivate is, besides, private networks and the dispatcher's own machine.
	NetworkPrivate Network = "Private"
)
