// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// arrivalsOf runs a contender from an idle start, before a CRM that takes everything, and returns when its calls arrived.
func arrivalsOf(c contender, l licence, length time.Duration, seed uint64) []time.Duration {
	apps := []integration{{name: "a", weight: 1, callers: 2 * l.calls}}
	random := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // repeatable on purpose
	w := newWorld(newDrain(c.make(epoch, l, apps, random), apps, epoch), l, epoch, seed)
	w.run(epoch.Add(length))
	var arrivals []time.Duration
	for _, a := range w.arrivals {
		arrivals = append(arrivals, a.Earliest.Sub(epoch))
	}
	slices.Sort(arrivals)
	return arrivals
}

// level is how many calls arrived within the last window, from a moment on.
type level struct {
	at    time.Duration
	calls int
}

// levels follows the count of the last window through all arrivals.
func levels(arrivals []time.Duration, window time.Duration) []level {
	changes := make(map[time.Duration]int, 2*len(arrivals))
	for _, at := range arrivals {
		changes[at]++
		changes[at+window]--
	}
	moments := make([]time.Duration, 0, len(changes))
	for at := range changes {
		moments = append(moments, at)
	}
	slices.Sort(moments)
	var all []level
	calls := 0
	for _, at := range moments {
		calls += changes[at]
		all = append(all, level{at, calls})
	}
	return all
}

// drawWindows shows why limiters that keep 400 calls in each of their own windows put 800 into one of the CRM's: how many calls arrived within the last minute,
// at every moment of two and a half minutes.
func drawWindows(folder string, seed uint64) error {
	l := drains[0].licence
	length := 5 * l.window / 2
	const left, width, rowHeight, top, plot = 235.0, 680.0, 110.0, 50.0, 84.0
	all := contenders(limits.Exact, 0)
	halfWay := contender{"fixed window", func(_ time.Time, l licence, apps []integration, _ *rand.Rand) limiter {
		return newFirstCome(len(apps), &fixedWindow{licence: l, phase: l.window / 2})
	}}
	shown := []struct {
		contender
		remark string
	}{
		{all[0], "a call holds its place until its answer and a window"},
		{all[2], "a full bucket, and what is refilled meanwhile"},
		{halfWay, "its own window ends half a minute after the start"},
	}
	p := &picture{width: int(left + width + 20), height: int(top + rowHeight*float64(len(shown)) + 34)}
	p.text(0, 16, "bold", "Calls that arrived within the last minute, of %d allowed: from an idle start, with calls always waiting", l.calls)
	x := func(at time.Duration) float64 { return left + width*float64(at)/float64(length) }
	for i, s := range shown {
		bottom := top + rowHeight*float64(i) + plot
		y := func(calls int) float64 { return bottom - plot*float64(calls)/float64(2*l.calls) }
		arrivals := arrivalsOf(s.contender, l, length, seed)
		class, weight := classesOf(s.name)
		p.text(0, bottom-plot+26, weight, "%s", s.name)
		for part, words := range wrap(s.remark, 26) {
			p.text(0, bottom-plot+26+17*float64(part+1), "dim", "%s", words)
		}
		p.drawLevels(levels(arrivals, l.window), length, x, y, class, l.calls)
		p.line(left, y(l.calls), left+width, y(l.calls), "limit")
		p.line(left, bottom, left+width, bottom, "grid")
		p.text(left-6, y(l.calls)+4, "dim end", "%d", l.calls)
		p.text(left-6, y(2*l.calls)+4, "dim end", "%d", 2*l.calls)
	}
	end := top + rowHeight*float64(len(shown)) - rowHeight + plot + 18
	for at := time.Duration(0); at <= length; at += l.window / 2 {
		p.text(x(at), end, "dim mid", "%.0f s", at.Seconds())
	}
	p.text(0, end+28, "dim", "make scoreboard; drawn from a run of each limiter in virtual time; network 0.2 s there and back, 0 to 0.3 s more each way")
	title := fmt.Sprintf("Calls within the last minute at every moment: ours never passes %d, a token bucket and a fixed window reach twice as many", l.calls)
	return p.write(folder, "windows.svg", title)
}

// drawLevels fills the area under the levels, red where it is above the limit.
func (p *picture) drawLevels(all []level, length time.Duration, x func(time.Duration) float64, y func(int) float64, class string, limit int) {
	const finest = 0.5 // what is closer than that cannot be seen
	area := func(from, to int, class string) {
		var path strings.Builder
		fmt.Fprintf(&path, "M%.1f %.1f", x(0), y(from))
		drawnAt, drawn := x(0), from
		for i, l := range all {
			calls := min(max(l.calls, from), to)
			next := length
			if i+1 < len(all) {
				next = min(length, all[i+1].at)
			}
			if l.at > length || calls == drawn || x(next)-drawnAt < finest {
				continue
			}
			drawnAt, drawn = max(drawnAt, x(l.at)), calls
			fmt.Fprintf(&path, "H%.1fV%.1f", drawnAt, y(calls))
		}
		fmt.Fprintf(&path, "H%.1fV%.1fZ", x(length), y(from))
		p.add(`<path d="%s" class="%s"/>`, path.String(), class)
	}
	area(0, limit, class)
	area(limit, 2*limit, "over")
}

// wrap breaks words into lines of so many letters at most.
func wrap(text string, letters int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(word) <= letters {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}
