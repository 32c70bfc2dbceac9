// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
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
	every time.Duration
	// next is when to ask, asking is set while the answer is to come.
	next   time.Time
	asking bool
	// last is how the CRM answered; nil before it did.
	last *contract.UsageReport
	// apps are what single applications have used, by limitKey.
	apps map[string][]contract.AppUse
	logs appLogs
	surveys
}

// question is a call that is made for the sake of its answer.
type question struct {
	ask dialect.Request
	// read are the readings in the body of a good answer; nil if there are none.
	read func(body []byte, now time.Time) []dialect.Reading
	// end takes what became of it.
	end func(now time.Time, f *flight, o upstream.Outcome, what fate)
}

// setUsage takes over from the plan how often to ask. The limits in force bound it.
func (s *Scheduler) setUsage(p *contract.Plan) {
	u := &s.usage
	how, known := s.provider.Usage()
	u.known = known && p.UsageSeconds > 0
	if !u.known {
		u.last, u.apps, u.logs = nil, nil, appLogs{}
		return
	}
	u.how = how
	before := u.every
	u.every = s.usagePace(s.priceQuestion(how.Ask), time.Duration(p.UsageSeconds)*time.Second)
	if u.every < before {
		u.next = earlier(u.next, s.options.Now().Add(u.every))
	}
}

func (s *Scheduler) priceQuestion(r dialect.Request) price {
	return s.price(tariff.Call{User: s.plan.Credentials.User(), Operation: r.Operation, Method: r.Method, Target: r.Target})
}

// usagePace is how often the CRM may be asked: not more often than it takes a hundredth of a limit.
func (s *Scheduler) usagePace(of price, declared time.Duration) time.Duration {
	pace := declared.Seconds()
	for k, n := range s.tariff.Cost(of.kind) {
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
	q := s.nextQuestion(now)
	about := subject{q.ask.Operation, q.ask.Method, q.ask.Target}
	costs := s.priceQuestion(q.ask)
	if !s.refusals.open(now) || s.heldBy(now, about) != nil || !s.roomForUsage(now, costs) {
		u.next = now.Add(noUsageRoom)
		return
	}
	l := s.lane(ownUse)
	id := s.newID()
	if err := s.ledger.Charge(now, id, l.owner, s.tariff.Cost(costs.kind), costs.record); err != nil {
		panic("scheduler: " + err.Error()) // a new ID and a cost of this tariff: cannot be
	}
	c := &call.Call{
		Integration: ownUse, Operation: about.operation, Method: about.method, Target: about.target, Header: http.Header{"Accept": {"application/json"}},
		Repeat: call.Repeat{Class: call.RepeatIdempotent}, AcceptedAt: now,
	}
	u.asking = true
	s.launch(&flight{
		id: id, lane: l, price: costs, call: c, about: about, asks: &q,
		waiter: &waiter{call: c, lane: l, access: s.licensed(), price: costs, since: now, deadline: now, own: true, gone: true, answered: make(chan reply, 1)},
	})
}

// nextQuestion is what to ask now: what has been used, but now and then what single applications have used. The headers of those answers tell of the limits, too, so
// they do with the same calls.
func (s *Scheduler) nextQuestion(now time.Time) question {
	if q, due := s.logQuestion(now); due {
		return q
	}
	return question{ask: s.usage.how.Ask, read: s.usage.how.Read, end: s.endUse}
}

// roomForUsage says whether no limit comes near its end by asking: by what we have used, what others have used by the CRM's word, and what is never lent. What others
// are only expected to use is not counted, since asking shows whether that is right.
func (s *Scheduler) roomForUsage(now time.Time, of price) bool {
	for k, n := range s.tariff.Cost(of.kind) {
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
	case f.answersInFull(o):
		return dialect.Together(readings, f.asks.read(peek(o.Answer), now))
	case f.asks == nil && u.known && u.how.Read == nil && len(readings) > 0:
		u.next = later(u.next, now.Add(u.every)) // it has told all that could be asked for
	}
	return readings
}

// answersInFull says whether an answer has a body that was asked for.
func (f *flight) answersInFull(o upstream.Outcome) bool {
	return f.asks != nil && f.asks.read != nil && o.Answer != nil && o.Answer.Status == http.StatusOK && o.Rest == nil
}

// endQuestion goes on after one.
func (s *Scheduler) endQuestion(now time.Time, f *flight, o upstream.Outcome, what fate) {
	if f.asks == nil {
		return
	}
	u := &s.usage
	u.asking = false
	// Spread, so that it does not always come at the same moment of the CRM's windows.
	u.next = now.Add(time.Duration((.5 + s.options.Random.Float64()) * float64(u.every)))
	f.asks.end(now, f, o, what)
}

// endUse notes how the CRM answered the question what has been used. A refusal for quota is no answer to it.
func (s *Scheduler) endUse(now time.Time, f *flight, o upstream.Outcome, what fate) {
	if what == refused {
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
	u.last = &report
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
	if u.apps == nil {
		u.apps = map[string][]contract.AppUse{}
	}
	u.apps[limitKey(l)] = appUses(r.Apps)
}

func appUses(all []dialect.AppUse) []contract.AppUse {
	var apps []contract.AppUse
	for _, a := range all {
		apps = append(apps, contract.AppUse{Name: a.Name, Used: a.Used})
	}
	return apps
}

// reportApps tells of applications: what they have used in the last day that a log tells of, else what the CRM says of the window as it is.
func (s *Scheduler) reportApps(now time.Time, k int, r *contract.WindowReport) {
	u := &s.usage
	if u.logs.tell(now) && isAbout(dialect.Reading{Window: u.how.Logs.Window}, s.tariff.Declared(k)) {
		r.Apps, r.AppsDay = u.logs.apps, new(u.logs.day)
		return
	}
	r.Apps = u.apps[limitKey(s.word.declared[k])]
}
