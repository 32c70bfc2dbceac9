// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Each rounding returns the figure to publish and how long since the last write of numbers its change has to wait; 0 if the published figure may stay. It
// stays until the true one is a whole step of the rounding away, so that one that swings about a boundary is not written each time. 0 and a limit that is
// used up are told exactly, within a step too: an emptied backlog must not linger.
const (
	// quickly is for new figures and those that are at least farSteps away.
	quickly = 15 * time.Second
	// slowly is for every other change, so that figures that swing by little cost at most one write a minute.
	slowly = time.Minute

	farSteps = 4
)

// pending is how long the first change of some figures has to wait; 0 if none changes.
type pending struct{ wait time.Duration }

func (p *pending) add(wait time.Duration) { p.wait = soonest(p.wait, wait) }

// number returns a figure that was rounded, and adds its wait.
func (p *pending) number(next *int64, wait time.Duration) *int64 {
	p.add(wait)
	return next
}

// time is number for moments.
func (p *pending) time(next *metav1.Time, wait time.Duration) *metav1.Time {
	p.add(wait)
	return next
}

// byDistance is the wait of a figure that is so many steps away.
func byDistance(steps int64) time.Duration {
	if steps >= farSteps {
		return quickly
	}
	return slowly
}

// twentieths returns the multiple of limit/20 nearest to used, or the published one while it may stay.
func twentieths(published *int64, used, limit int64) (*int64, time.Duration) {
	target := used
	if limit > 0 {
		target = (used*20 + limit/2) / limit * limit / 20
	}
	if published == nil {
		return &target, quickly
	}
	distance := abs(used-*published) * 20
	reachesEnd := used == 0 || used >= limit && *published < limit
	if *published == target || distance < limit && !reachesEnd {
		return published, 0
	}
	return &target, byDistance(distance / max(limit, 1))
}

// ifAny is twentieths of a figure that is left out while it is 0.
func ifAny(published *int64, value, limit int64) (*int64, time.Duration) {
	next, wait := twentieths(new(deref(published)), value, limit)
	if *next == 0 {
		return nil, wait
	}
	return next, wait
}

// ifTold is twentieths of a figure that is left out while it is not known.
func ifTold(published, value *int64, limit int64) (*int64, time.Duration) {
	if value != nil {
		return twentieths(published, *value, limit)
	}
	if published != nil {
		return nil, quickly
	}
	return nil, 0
}

// twoDigits rounds a count to two digits, or returns the published one while it may stay.
func twoDigits(published *int64, count int64) (*int64, time.Duration) {
	step := digitStep(count)
	target := (count + step/2) / step * step
	if published == nil {
		return &target, quickly
	}
	step = digitStep(max(count, *published))
	distance := abs(count - *published)
	if *published == target || distance < step && count > 0 {
		return published, 0
	}
	return &target, byDistance(distance / step)
}

// digitStep is the least power of ten that leaves a count two digits.
func digitStep(count int64) int64 {
	step := int64(1)
	for count/step >= 100 {
		step *= 10
	}
	return step
}

// moment rounds a time to whole minutes. The published one stays while it is right to a minute, or to 5 % of the span from now.
func moment(published, at *metav1.Time, now time.Time) (*metav1.Time, time.Duration) {
	if at == nil {
		if published == nil {
			return nil, 0
		}
		return nil, slowly
	}
	target := metav1.NewTime(at.Round(time.Minute))
	if published == nil {
		return &target, slowly
	}
	step := max(time.Minute, published.Sub(now).Abs()/20)
	distance := at.Sub(published.Time).Abs()
	if distance < step {
		return published, 0
	}
	return &target, byDistance(int64(distance / step))
}

// spans are the roundings of a remaining time: up to below, in steps of step.
var spans = []struct{ below, step time.Duration }{
	{10 * time.Minute, time.Minute}, {time.Hour, 5 * time.Minute}, {10 * time.Hour, 30 * time.Minute}, {48 * time.Hour, time.Hour},
}

// span writes a remaining time for a column: <1m, 7m, 25m, 2h30m, 14h, 3d.
func span(remaining time.Duration) string {
	if remaining < time.Minute {
		return "<1m"
	}
	for _, s := range spans {
		if remaining >= s.below {
			continue
		}
		rounded := remaining.Round(s.step)
		hours, minutes := rounded/time.Hour, rounded%time.Hour/time.Minute
		switch {
		case hours == 0:
			return fmt.Sprintf("%dm", minutes)
		case minutes == 0:
			return fmt.Sprintf("%dh", hours)
		default:
			return fmt.Sprintf("%dh%dm", hours, minutes)
		}
	}
	return fmt.Sprintf("%dd", remaining.Round(24*time.Hour)/(24*time.Hour))
}

// spanNear is span, or the published text while it is right to 5 %.
func spanNear(published string, remaining time.Duration) string {
	slack := remaining / 20
	if published == span(remaining-slack) || published == span(remaining+slack) {
		return published
	}
	return span(remaining)
}

func abs(n int64) int64 { return max(n, -n) }

func deref(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
