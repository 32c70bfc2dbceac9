// SPDX-License-Identifier: Apache-2.0

package fairshare

// group is a set of posts in the order in which they are served: directly, or in groups of its own. A group is keyed by its first post.
type group struct {
	// ready by the tag that the first will have, early by the tag that it has: it is ahead of its part.
	ready, early heap
	// weight and sum of weight*start of all its posts.
	weight int64
	sum    wide
	// shift is by how much tags in the group are less than in the one it belongs to.
	shift int64
}

func (g *group) empty() bool { return len(g.ready)+len(g.early) == 0 }

// join counts the posts of a group whose tags are less by shift.
func (g *group) join(part *group, shift int64) {
	g.weight += part.weight
	g.sum.add(part.sum)
	g.sum.add(product(part.weight, shift))
}

// part counts them no longer.
func (g *group) part(part *group, shift int64) {
	g.weight -= part.weight
	g.sum.sub(part.sum)
	g.sum.sub(product(part.weight, shift))
}

// places are where groups are in the one that they belong to.
type places struct{ ready, early index }

func (p *places) extend() {
	p.ready.extend()
	p.early.extend()
}

// file puts a group that belongs to g where its first posts belong.
func (g *group) file(p *places, part *group, id int32) {
	file(&g.ready, &p.ready, part.ready, part.shift, id)
	file(&g.early, &p.early, part.early, part.shift, id)
}

func file(h *heap, x *index, part heap, shift int64, id int32) {
	if len(part) == 0 {
		h.remove(x, id)
		return
	}
	h.set(x, item{part[0].key + shift, part[0].tie, id})
}

// strike takes a group out of g.
func (g *group) strike(p *places, id int32) {
	g.ready.remove(&p.ready, id)
	g.early.remove(&p.early, id)
}
