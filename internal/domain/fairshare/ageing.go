// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// SetAgeing sets after what time a head joins the top band, however low its own; 0 is never.
func (s *Sharing) SetAgeing(d time.Duration) {
	s.ageing = d
	for o := range s.members {
		if s.members[o].band > Interactive {
			s.touch(ledger.Owner(o))
		}
	}
}

// age has the heads judged anew that have become old enough for the top band.
func (s *Sharing) age(now time.Time) {
	s.now = max(s.now, now.UnixNano())
	for s.ageing > 0 && len(s.young) > 0 && s.old(s.young[0].key) {
		first := s.young[0]
		s.young.remove(&s.inAgeing, first.id)
		s.touch(ledger.Owner(first.tie))
	}
}

func (s *Sharing) old(since int64) bool { return since <= s.now-int64(s.ageing) }

// bandOf is the band in which a head of the member competes, and remembers when that will change.
func (s *Sharing) bandOf(m *member, id int32) Band {
	p := &s.posts[id]
	if m.band == Interactive || s.ageing <= 0 {
		return m.band
	}
	if s.old(p.since) {
		s.young.remove(&s.inAgeing, id)
		return Interactive
	}
	s.young.set(&s.inAgeing, item{p.since, int32(p.Owner), id})
	return m.band
}
