// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestCallsWithinAWindow compares the log with a plain list of all calls, of which none is ever forgotten.
func TestCallsWithinAWindow(t *testing.T) {
	const length = time.Minute
	rapid.Check(t, func(rt *rapid.T) {
		var log calls
		var all []answered
		seconds := rapid.Int64Range(0, 40)
		for now := time.Unix(0, 0); len(all) < 60; now = now.Add(time.Duration(seconds.Draw(rt, "pause")) * time.Second / 2) {
			if rapid.IntRange(0, 9).Draw(rt, "rests") == 0 {
				now = now.Add(3 * length) // nothing that the log holds is of the window any more
			}
			ended := now.Add(-time.Duration(seconds.Draw(rt, "late")) * time.Second / 4)
			began := ended.Add(-time.Duration(seconds.Draw(rt, "took")) * 2 * time.Second)
			all = append(all, answered{began: began, ended: ended, units: rapid.Int64Range(1, 5).Draw(rt, "units")})
			log.add(began, ended, all[len(all)-1].units, now.Add(-3*length))
			if !log.since.Equal(all[0].began) {
				rt.Fatalf("the log begins at %s, want %s", log.since, all[0].began)
			}

			start, least, most, kept := ended.Add(-length), int64(0), int64(0), 0
			for _, a := range all {
				if a.began.After(start) && !a.ended.After(began) {
					least += a.units
				}
				if a.ended.After(began.Add(-length)) {
					most += a.units
				}
				if a.ended.After(now.Add(-3 * length)) {
					kept++
				}
			}
			if gotLeast, gotMost := log.within(began, ended, length); gotLeast != least || gotMost != most {
				rt.Fatalf("%d to %d units were used, want %d to %d", gotLeast, gotMost, least, most)
			}
			if len(log.all) < kept || len(log.all) > 2*kept {
				rt.Fatalf("%d calls are in the log, want %d and at most as many that are too old", len(log.all), kept)
			}
		}
	})
}
