// SPDX-License-Identifier: Apache-2.0

package wake

import (
	"context"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var zendesk = types.NamespacedName{Namespace: "contact-centre", Name: "zendesk"}

func TestEveryListenerHears(t *testing.T) {
	var b Bell
	first, second := b.Listen(), b.Listen()
	b.Ring(t.Context(), zendesk)
	for _, object := range []client.Object{(<-first).Object, (<-second).Object} {
		if got := client.ObjectKeyFromObject(object); got != zendesk {
			t.Errorf("heard %s, want %s", got, zendesk)
		}
	}
}

// TestRingGivesUp: a listener that does not read holds up nobody beyond the end of ctx.
func TestRingGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Bell
		listener := b.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for range cap(listener) + 1 {
				b.Ring(ctx, zendesk)
			}
		}()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("the full channel took one more")
		default:
		}
		cancel()
		<-ended
	})
}
