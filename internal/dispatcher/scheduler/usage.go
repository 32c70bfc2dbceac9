// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// ownUse is the key of the calls that ask what has been used. No integration has it: keys of integrations have a slash.
const ownUse = "usage"

const (
	// usageShare: asking takes at most one in so many units of any limit.
	usageShare = 100
	// lastShare: one in so many units of any limit is never spent on asking.
	lastShare = 100
	// noUsageRoom is how soon it is looked again whether there is room for asking.
	noUsageRoom = 15 * time.Second
	// mostUsagePause bounds the pace that tiny limits ask for.
	mostUsagePause = 7 * 24 * time.Hour
	// usageDenied is how long the CRM is not asked again when it does not answer the question: somebody has to change something there.
	usageDenied = time.Hour
)

// usage is asking the CRM what has been used of its limits, as headers of other answers do not tell, or as there are no other answers.
type usage struct {
	// known is false for a CRM that cannot be asked, or that the plan says not to ask.
	known bool
	how   dialect.Usage
	price price
	every time.Duration
	// next is when to ask, asking is set while the answer is to come.
	next   time.Time
	asking bool
	// last is how the CRM answered; nil before it did.
	last *contract.UsageReport
	// apps are what single applications have used, by limitKey.
	apps map[string][]contract.AppUse
	surveys
}

// setUsage takes over from the plan how often to ask. The limits in force bound it.
func (s *Scheduler) setUsage(p *contract.Plan) {
	u := &s.usage
	how, known := s.provider.Usage()
	u.known = known && p.UsageSeconds > 0
	if !u.known {
		u.last, u.apps = nil, nil
		return
	}
	u.how, u.price = how, s.price(tariff.Call{User: p.Credentials.User(), Operation: how.Ask.Operation, Method: how.Ask.Method, Target: how.Ask.Target})
	before := u.every
	u.every = s.usagePace(s.tariff.Cost(u.price.kind), time.Duration(p.UsageSeconds)*time.Second)
	if u.every < before {
		u.next = earlier(u.next, s.options.Now().Add(u.every))
	}
}

// usagePace is how often the CRM may be asked: not more often than it takes a hundredth of a limit.
func (s *Scheduler) usagePace(cost ledger.Cost, declared time.Duration) time.Duration {
	pace := declared.Seconds()
	for k, n := range cost {
		l := s.ledger.Limit(k)
		if l.Kind == limits.Concurrent || l.Meter.PerRecord || l.Unit != limits.Calls {
			continue
		}
		length := l.Length()
		pace = max(pace, length.Seconds()*usageShare*float64(n)/float64(l.Max))
	}
	return time.Duration(min(pace, mostUsagePause.Seconds()) * float64(time.Second))
}

// askUsage asks when it is time to and there is room. Nobody waits for the answer, so every other call goes first.
func (s *Scheduler) askUsage(now time.Time) {
	u := &s.usage
	if !s.reaches() || !u.known || u.asking || now.Before(u.next) {
		return
	}
	about := subject{u.how.Ask.Operation, u.how.Ask.Method, u.how.Ask.Target}
	if !s.refusals.open(now) || s.heldBy(now, about) != nil || !s.roomForUsage(now) {
		u.next = now.Add(noUsageRoom)
		return
	}
	l := s.lane(ownUse)
	id := s.newID()
	if err := s.ledger.Charge(now, id, l.owner, s.tariff.Cost(u.price.kind), u.price.record); err != nil {
		panic("scheduler: " + err.Error()) // a new ID and a cost of this tariff: cannot be
	}
	c := &call.Call{
		Integration: ownUse, Operation: about.operation, Method: about.method, Target: about.target, Header: http.Header{"Accept": {"application/json"}},
		Repeat: call.Repeat{Class: call.RepeatIdempotent}, AcceptedAt: now,
	}
	u.asking = true
	s.launch(&flight{
		id: id, lane: l, price: u.price, call: c, about: about,
		waiter: &waiter{call: c, lane: l, access: s.licensed(), price: u.price, since: now, deadline: now, own: true, gone: true, answered: make(chan reply, 1)},
	})
}

// roomForUsage says whether no limit comes near its end by asking: by what we have used, what others have used by the CRM's word, and what is never lent. What others
// are only expected to use is not counted, since asking shows whether that is right.
func (s *Scheduler) roomForUsage(now time.Time) bool {
	for k, n := range s.tariff.Cost(s.usage.price.kind) {
		l := s.ledger.Limit(k)
		if n == 0 || l.AlertOnly || l.Meter.PerRecord {
			continue
		}
		settled, open := s.ledger.Own(k)
		used := settled + open
		if w := s.word.watches[k]; w != nil {
			others, _ := w.Others(now)
			used += others.Most
		}
		for _, other := range s.order {
			if other.spec != nil {
				hard, _ := s.sharing.Reserved(k, other.owner)
				used += hard
			}
		}
		if used+n+max(1, l.Max/lastShare) > l.Max || !s.ledger.EarliestPaced(k, n).IsZero() {
			return false
		}
	}
	return true
}

// usageDue is when askUsage has something to do; zero if never.
func (s *Scheduler) usageDue(now time.Time) time.Time {
	u := &s.usage
	if !s.reaches() || !u.known || u.asking {
		return time.Time{}
	}
	return later(u.next, now)
}

// told are the readings of an answer. One that was asked for tells more than its header.
func (s *Scheduler) told(now time.Time, f *flight, o upstream.Outcome) []dialect.Reading {
	readings := s.provider.Readings(o.Answer.Header, now)
	u := &s.usage
	switch {
	case f.lane.key == ownUse && u.how.Read != nil && o.Answer.Status == http.StatusOK && o.Rest == nil:
		return dialect.Together(readings, u.how.Read(peek(o.Answer), now))
	case f.lane.key != ownUse && u.known && u.how.Read == nil && len(readings) > 0:
		u.next = later(u.next, now.Add(u.every)) // it has told all that could be asked for
	}
	return readings
}

// endUsage notes what became of asking.
func (s *Scheduler) endUsage(now time.Time, f *flight, o upstream.Outcome) {
	if f.lane.key != ownUse {
		return
	}
	u := &s.usage
	report := contract.UsageReport{Call: f.call.Method + " " + f.call.Target}
	if o.Answer != nil {
		report.Status = o.Answer.Status
	}
	if (u.last == nil || *u.last != report) && report.Status != http.StatusOK {
		s.options.Logger.Warn("The CRM does not tell what has been used of its limits", "call", report.Call, "status", report.Status, "error", o.Err)
	}
	u.last, u.asking = &report, false
	// Spread, so that it does not always come at the same moment of the CRM's windows.
	u.next = now.Add(time.Duration((.5 + s.options.Random.Float64()) * float64(u.every)))
	if denied(report.Status) && u.how.Read != nil {
		u.next = later(u.next, now.Add(usageDenied))
	}
}

// denied says whether an answer means that asking again is of no use as things are.
func denied(status int) bool {
	return status == http.StatusForbidden || status == http.StatusNotFound || status == http.StatusMethodNotAllowed
}

// noteApps keeps what a reading tells of single applications.
func (u *usage) noteApps(l limits.Limit, r dialect.Reading) {
	if u.how.Read == nil || r.Apps == nil {
		return
	}
	if u.apps == nil {
		u.apps = map[string][]contract.AppUse{}
	}
	apps := make([]contract.AppUse, len(r.Apps))
	for i, a := range r.Apps {
		apps[i] = contract.AppUse{Name: a.Name, Used: a.Used}
	}
	u.apps[limitKey(l)] = apps
}
