// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// drift is how far a published figure is from the true one, in steps of its rounding; 0 while it may stay. A published figure stays until the true one is a
// whole step away, so that one that swings about a boundary is not written each time.
type drift int64

// prompt is a drift that is published as soon as numbers may be: a new figure, one that ends at 0 or at the limit.
const prompt drift = 4

// twentieths returns the multiple of limit/20 nearest to used, or the published one while it may stay.
func twentieths(published *int64, used, limit int64) (*int64, drift) {
	target := used
	if limit > 0 {
		target = (used*20 + limit/2) / limit * limit / 20
	}
	switch {
	case published == nil:
		return &target, prompt
	case *published == target:
		return published, 0
	case used == 0, used >= limit && *published < limit:
		return &target, prompt
	}
	distance := abs(used-*published) * 20
	if distance < limit {
		return published, 0
	}
	return &target, drift(distance / max(limit, 1))
}

// twoDigits rounds a count to two digits. 0 is told as it is.
func twoDigits(published *int64, count int64) (*int64, drift) {
	step := int64(1)
	for max(count, deref(published))/step >= 100 {
		step *= 10
	}
	target := (count + step/2) / step * step
	switch {
	case published == nil:
		return &target, prompt
	case *published == target:
		return published, 0
	case count == 0:
		return &target, prompt
	}
	distance := abs(count - *published)
	if distance < step {
		return published, 0
	}
	return &target, drift(distance / step)
}

// moment rounds a time to whole minutes. The published one stays while it is right to a minute, or to 5 % of the span from now.
func moment(published, at *metav1.Time, now time.Time) (*metav1.Time, drift) {
	if at == nil {
		if published == nil {
			return nil, 0
		}
		return nil, 1
	}
	target := metav1.NewTime(at.Round(time.Minute))
	if published == nil {
		return &target, 1
	}
	step := max(time.Minute, published.Sub(now).Abs()/20)
	distance := at.Sub(published.Time).Abs()
	if distance < step {
		return published, 0
	}
	return &target, drift(distance / step)
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
