// SPDX-License-Identifier: Apache-2.0

package scheduler

import "time"

// pilotWaits is how long a pilot waits for another flight.
const pilotWaits = 5 * time.Second

// takeOff has a pilot who waits fly, or a new one.
func (s *Scheduler) takeOff(f *flight) {
	select {
	case s.takeOffs <- f:
	default:
		go s.pilot(f)
	}
}

// pilot flies one flight after the other: a new goroutine for each would have to grow its stack each time.
func (s *Scheduler) pilot(f *flight) {
	patience := time.NewTimer(pilotWaits)
	defer patience.Stop()
	for {
		s.fly(f)
		patience.Reset(pilotWaits)
		select {
		case f = <-s.takeOffs:
		case <-patience.C:
			return
		case <-s.stopped:
			return
		}
	}
}
