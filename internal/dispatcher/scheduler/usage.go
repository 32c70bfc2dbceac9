// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
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

// usageDue is when askUsage has something to do; zero if never.
func (s *Scheduler) usageDue(now time.Time) time.Time {
	u := &s.usage
	if !s.reaches() || !u.known || u.asking {
		return time.Time{}
	}
	return later(u.next, now)
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
	if u.known && u.logs.tell(now) && isAbout(dialect.Reading{Window: u.how.Logs.Window}, s.tariff.Declared(k)) {
		r.Apps, r.AppsDay = u.logs.apps, new(u.logs.day)
		return
	}
	r.Apps = u.apps[limitKey(s.word.declared[k])]
}
