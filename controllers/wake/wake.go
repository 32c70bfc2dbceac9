// SPDX-License-Identifier: Apache-2.0

// Package wake is how one part of the manager tells controllers to look at an object again.
package wake

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// Bell is rung for a CRM and heard by every listener.
type Bell struct {
	listeners []chan event.GenericEvent
}

// Listen returns a channel for source.Channel. Every call must come before the first Ring, and every channel must be read.
func (b *Bell) Listen() <-chan event.GenericEvent {
	// The buffer takes the burst of a start; a full one only makes those who ring wait.
	listener := make(chan event.GenericEvent, 128)
	b.listeners = append(b.listeners, listener)
	return listener
}

// Ring names the CRM to all listeners. It gives up when ctx ends.
func (b *Bell) Ring(ctx context.Context, crm types.NamespacedName) {
	object := &v1alpha1.CRM{}
	object.Namespace, object.Name = crm.Namespace, crm.Name
	for _, listener := range b.listeners {
		select {
		case listener <- event.GenericEvent{Object: object}:
		case <-ctx.Done():
			return
		}
	}
}
