// SPDX-License-Identifier: Apache-2.0

package statuswriter

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/internal/status"
)

// memory is what a process remembers of the objects of one kind from one pass to the next. Losing it with the process costs nothing but a little time.
type memory struct {
	mu      sync.Mutex
	objects map[types.NamespacedName]remembered
}

type remembered struct {
	uid types.UID
	// pendingSince is when generation was first seen unconfirmed.
	generation   int64
	pendingSince time.Time
	// numbersAt is when numbers were last written.
	numbersAt time.Time
	evidence  status.Evidence
}

func newMemory() *memory { return &memory{objects: make(map[types.NamespacedName]remembered)} }

// update changes what is remembered of an object and returns it. An object of the same name with another UID is another object.
func (m *memory) update(object client.Object, change func(*remembered)) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	o := m.objects[key]
	if o.uid != object.GetUID() {
		o = remembered{uid: object.GetUID()}
	}
	change(&o)
	m.objects[key] = o
	return o
}

func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
}
