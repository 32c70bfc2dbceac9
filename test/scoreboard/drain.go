// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"time"
)

// call is one call on its way.
type call struct {
	owner int
	id    uint64
	// asked is when its caller asked for it, first when it became the first in its line, sent when it left last.
	asked, first, sent time.Time
	// repeats: its caller asks for another one when it is answered.
	repeats bool
}

// drain keeps the lines in which calls wait at a limiter, and measures. Whoever runs it brings the time and the network.
type drain struct {
	limiter limiter
	apps    []integration
	lines   [][]*call
	// since is when measuring begins: what happens before is the first window's, which starts empty.
	since time.Time
	// heads are the times from being the first in line to leaving, waits those from being asked for to leaving for good, by owner.
	heads []time.Duration
	waits [][]time.Duration
	// sent calls by owner.
	sent             []int64
	answers, refused int
	unfair           float64
}

func newDrain(l limiter, apps []integration, since time.Time) *drain {
	return &drain{
		limiter: l, apps: apps, since: since,
		lines: make([][]*call, len(apps)), waits: make([][]time.Duration, len(apps)), sent: make([]int64, len(apps)),
	}
}

// ask puts a new call at the end of its line.
func (d *drain) ask(now time.Time, owner int, repeats bool) {
	c := &call{owner: owner, asked: now, repeats: repeats}
	d.lines[owner] = append(d.lines[owner], c)
	d.limiter.asked(now, owner)
	if len(d.lines[owner]) == 1 {
		d.lead(now, owner)
	}
}

// lead offers the first call of a line.
func (d *drain) lead(now time.Time, owner int) {
	if len(d.lines[owner]) > 0 {
		d.lines[owner][0].first = now
		d.limiter.offer(owner, d.lines[owner][0].asked)
	}
}

// send takes the calls that leave now out of their lines; again is when to try next, zero if only an answer can change anything.
func (d *drain) send(now time.Time) (leaving []*call, again time.Time) {
	for {
		owner, id, again, ok := d.limiter.next(now)
		if !ok {
			return leaving, again
		}
		c := d.lines[owner][0]
		d.lines[owner] = d.lines[owner][1:]
		d.lead(now, owner)
		c.id, c.sent = id, now
		leaving = append(leaving, c)
		if now.Before(d.since) {
			continue
		}
		d.heads = append(d.heads, now.Sub(c.first))
		d.sent[owner]++
		d.unfair = max(d.unfair, d.imbalance())
	}
}

// imbalance is how many calls, by weight, the best served integration is ahead of the worst.
func (d *drain) imbalance() float64 {
	least, most := math.Inf(1), 0.0
	for o, app := range d.apps {
		served := float64(d.sent[o]) / float64(app.weight)
		least, most = min(least, served), max(most, served)
	}
	return most - least
}

// answered takes the answer to a call. One that was refused goes back to the head of its line.
func (d *drain) answered(now time.Time, c *call, refused bool) {
	d.limiter.answered(now, c.id)
	if !now.Before(d.since) {
		d.answers++
		if refused {
			d.refused++
		} else {
			d.waits[c.owner] = append(d.waits[c.owner], c.sent.Sub(c.asked))
		}
	}
	if refused {
		d.lines[c.owner] = append([]*call{c}, d.lines[c.owner]...)
		d.lead(now, c.owner)
	}
	if c.repeats && !refused {
		d.ask(now, c.owner, true)
	}
}
