// SPDX-License-Identifier: Apache-2.0

package fairshare

// none is the id of nothing, and the place of what is in no heap.
const none = -1

// item is an element of a heap. The lowest key is first, of equal keys the one with the lowest tie.
type item struct {
	key int64
	tie int32
	id  int32
}

func (a item) before(b item) bool { return a.key < b.key || a.key == b.key && a.tie < b.tie }

// index says for each id at which place of its heap it is. Heaps that never have an id in common can share one.
type index struct {
	at     []int32
	looked int64
}

// extend makes room for one id more.
func (x *index) extend() { x.at = append(x.at, none) }

// arity: four children of 16 bytes are one cache line, and a heap of 100,000 is nine levels deep.
const arity = 4

// heap keeps its items in order of before, as far as their first is concerned.
type heap []item

// set puts an item in, or in its new place.
func (h *heap) set(x *index, it item) {
	at := int(x.at[it.id])
	if at == none {
		*h = append(*h, it)
		h.up(x, len(*h)-1, it)
		return
	}
	if old := (*h)[at]; it == old {
		return
	} else if it.before(old) {
		h.up(x, at, it)
	} else {
		h.down(x, at, it)
	}
}

// remove takes an item out; one that is not in stays out.
func (h *heap) remove(x *index, id int32) {
	at := int(x.at[id])
	if at == none {
		return
	}
	x.at[id] = none
	end := len(*h) - 1
	last, removed := (*h)[end], (*h)[at]
	*h = (*h)[:end]
	switch {
	case at == end:
	case last.before(removed):
		h.up(x, at, last)
	default:
		h.down(x, at, last)
	}
}

// up puts an item at a place or as far above it as it belongs.
func (h *heap) up(x *index, at int, it item) {
	items := *h
	for at > 0 {
		parent := (at - 1) / arity
		x.looked++
		if !it.before(items[parent]) {
			break
		}
		items[at] = items[parent]
		x.at[items[at].id] = int32(at)
		at = parent
	}
	items[at] = it
	x.at[it.id] = int32(at)
}

// down puts an item at a place or as far below it as it belongs.
func (h *heap) down(x *index, at int, it item) {
	items := *h
	for {
		first := arity*at + 1
		if first >= len(items) {
			break
		}
		children := items[first:min(first+arity, len(items))]
		least := 0
		for i := 1; i < len(children); i++ {
			if children[i].before(children[least]) {
				least = i
			}
		}
		x.looked += int64(len(children))
		if !children[least].before(it) {
			break
		}
		items[at] = children[least]
		x.at[items[at].id] = int32(at)
		at = first + least
	}
	items[at] = it
	x.at[it.id] = int32(at)
}
