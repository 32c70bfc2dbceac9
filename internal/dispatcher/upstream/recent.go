// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"slices"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// recently is how long what the Secret held is taken to be what it holds: to read it for every call would take a quarter of the dispatcher's time, and the kubelet
// takes longer to pass on an edit.
const recently = time.Second

// Recent remembers for a second what a Secret held. Its zero value is ready, and its method may be called by many goroutines.
type Recent struct {
	mu     sync.Mutex
	keys   []string
	at     time.Time
	values map[string]string
}

// read returns what read has returned for these keys within the last second, or returns now. Errors and missing keys are not remembered, but for the list of
// hosts, which need not be there. The values must not be changed.
func (r *Recent) read(now time.Time, keys []string, read func([]string) (map[string]string, error)) (map[string]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values != nil && slices.Equal(r.keys, keys) && now.Sub(r.at) < recently {
		return r.values, nil
	}
	values, err := read(keys)
	r.keys, r.at, r.values = keys, now, values
	for _, key := range keys {
		if _, found := values[key]; !found && key != contract.HostsKey {
			r.values = nil
		}
	}
	return values, err
}
