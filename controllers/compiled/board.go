// SPDX-License-Identifier: Apache-2.0

// Package compiled hands what the CRM controller compiled and saw of a dispatcher to the Integration controller, so that an Integration's status speaks of
// the very decision that its CRM's plan was made by, and a CRM with N Integrations is compiled once for all of them.
package compiled

import (
	"context"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/wake"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// Entry is what is known of one CRM after a pass of its controller. It must not be changed.
type Entry struct {
	Output plan.Output
	// Seen are the generations of the Integrations that Output was made from, by UID.
	Seen map[types.UID]int64
	// PodReady: the dispatcher's pod is ready.
	PodReady bool
	// CAConfigMap is the ConfigMap with the CA of the intake; empty if there is none.
	CAConfigMap string
}

// Covers says whether the entry was made from this very state of the Integration.
func (e *Entry) Covers(integration *v1alpha1.Integration) bool {
	generation, ok := e.Seen[integration.UID]
	return ok && generation == integration.Generation
}

// Board holds the latest entry of every CRM. Its methods may be called concurrently.
type Board struct {
	bell wake.Bell

	mu      sync.Mutex
	entries map[types.NamespacedName]*Entry
}

// NewBoard makes an empty board.
func NewBoard() *Board { return &Board{entries: make(map[types.NamespacedName]*Entry)} }

// Changes returns a channel that names the CRM whose entry changed. Call it before the first Publish, and read the channel.
func (b *Board) Changes() <-chan event.GenericEvent { return b.bell.Listen() }

// Publish stores an entry and wakes the readers if it says anything new.
func (b *Board) Publish(ctx context.Context, crm types.NamespacedName, entry *Entry) {
	b.mu.Lock()
	old := b.entries[crm]
	b.entries[crm] = entry
	b.mu.Unlock()
	if old == nil || !same(old, entry) {
		b.bell.Ring(ctx, crm)
	}
}

// same ignores when to look again, which moves with every pass.
func same(a, b *Entry) bool {
	x, y := *a, *b
	x.Output.RecheckAfter, y.Output.RecheckAfter = 0, 0
	return reflect.DeepEqual(x, y)
}

// Get returns the entry of the CRM, nil before its first pass.
func (b *Board) Get(crm types.NamespacedName) *Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entries[crm]
}

// Forget drops the entry of a CRM that is gone.
func (b *Board) Forget(ctx context.Context, crm types.NamespacedName) {
	b.mu.Lock()
	_, known := b.entries[crm]
	delete(b.entries, crm)
	b.mu.Unlock()
	if known {
		b.bell.Ring(ctx, crm)
	}
}
