// SPDX-License-Identifier: Apache-2.0

package scheduler

// enoughUnauthorised answers in a row show that the credentials are wrong, and not that one call asks for what they do not give.
const enoughUnauthorised = 3

// noteCredentials counts the answers by which the CRM does not take the credentials.
func (s *Scheduler) noteCredentials(what fate) {
	switch what {
	case unauthorised:
		s.unauthorised++
	case succeeded, failed, refused:
		s.unauthorised = 0
	case unsent, unavailable, lost: // they tell nothing of the credentials
	}
}
