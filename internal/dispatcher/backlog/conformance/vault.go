// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"pgregory.net/rapid"
)

// secretNames are those that secrets are kept under: one begins as another ends.
var secretNames = []string{"", "crm", "crm/refresh"}

// keep replaces a sealed secret, which is durable from then on, with everything before it.
func (r *run) keep(t *rapid.T) {
	name := rapid.SampledFrom(secretNames).Draw(t, "name")
	sealed := rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "sealed")
	if err := r.store.Keep(name, sealed); err != nil {
		t.Fatalf("keep: %v", err)
	}
	r.now.secrets[name] = sealed
	r.made()
}
