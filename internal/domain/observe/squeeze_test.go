// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"testing"
	"time"
)

// TestSqueeze tells of a limit of 400 a minute, or of the length that is named, and looks at what is kept free some time later.
func TestSqueeze(t *testing.T) {
	type word struct {
		after        time.Duration
		others, left int64
	}
	const none, probe, spare = 0, 400 / probePart, 400 * sparePart / 10
	for name, test := range map[string]struct {
		length  time.Duration
		words   []word
		after   time.Duration
		want    int64
		censors bool
	}{
		"nothing was said":                       {time.Minute, nil, 0, none, false},
		"more is left than of a full one":        {time.Minute, []word{{0, 5, 13}}, 0, none, false},
		"it is nearly full":                      {time.Minute, []word{{0, 5, 12}}, 0, spare, true},
		"for nearly a window":                    {time.Minute, []word{{0, 5, 12}}, time.Minute - 1, spare, true},
		"what others want shows after a window":  {time.Minute, []word{{0, 5, 12}}, time.Minute, spare, false},
		"until two are over":                     {time.Minute, []word{{0, 5, 12}}, 2*time.Minute + 1, none, false},
		"and not before":                         {time.Minute, []word{{0, 5, 12}}, 2 * time.Minute, spare, false},
		"an hour":                                {time.Hour, []word{{0, 5, 12}}, 0, spare, true},
		"what is longer hides nobody":            {time.Hour + 1, []word{{0, 5, 12}}, 0, none, false},
		"it is full of ours":                     {time.Minute, []word{{0, 0, 12}}, 2 * time.Minute, probe, false},
		"a look lasts two windows":               {time.Minute, []word{{0, 0, 12}}, 2*time.Minute + 1, none, false},
		"nobody is looked for again at once":     {time.Minute, []word{{0, 0, 12}, {probePause * time.Minute, 0, 12}}, 0, none, false},
		"but after a pause":                      {time.Minute, []word{{0, 0, 12}, {probePause*time.Minute + 1, 0, 12}}, 0, probe, false},
		"others were seen by what was kept free": {time.Minute, []word{{0, 0, 0}, {time.Second, 1, 0}}, 0, spare, true},
	} {
		t.Run(name, func(t *testing.T) {
			var s squeeze
			began := time.Unix(0, 0)
			now := began
			for _, w := range test.words {
				now = began.Add(w.after)
				s.hear(now, test.length, w.others, w.left, 400)
			}
			now = now.Add(test.after)
			if got := s.spare(now, test.length, 400); got != test.want {
				t.Errorf("%d are kept free, want %d", got, test.want)
			}
			if got := s.censors(now, test.length); got != test.censors {
				t.Errorf("what others use tells less than what they want: %t", got)
			}
		})
	}
	var s squeeze
	if s.hear(time.Unix(0, 0), time.Minute, 0, 0, 10); s.spare(time.Unix(0, 0), time.Minute, 10) != 1 {
		t.Error("of a small limit none is kept free to look for others")
	}
}
