// SPDX-License-Identifier: Apache-2.0

package disk

import "sync"

// doorway lets in many, or one alone. It is a sync.RWMutex in which one waits on a channel: simulated time goes on while somebody does, and files are synced in it.
type doorway struct {
	mu     sync.Mutex
	inside int
	shut   bool
	// changed is closed when those who wait have to look again; nil while nobody waits.
	changed chan struct{}
}

// enter waits until nobody is alone inside.
func (d *doorway) enter() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.shut {
		d.wait()
	}
	d.inside++
}

func (d *doorway) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside--; d.inside == 0 {
		d.notify()
	}
}

// enterAlone lets nobody in any more, and waits until all have left.
func (d *doorway) enterAlone() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.shut {
		d.wait()
	}
	d.shut = true
	for d.inside > 0 {
		d.wait()
	}
}

func (d *doorway) leaveAlone() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = false
	d.notify()
}

// wait gives the lock up meanwhile.
func (d *doorway) wait() {
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	changed := d.changed
	d.mu.Unlock()
	<-changed
	d.mu.Lock()
}

func (d *doorway) notify() {
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}
