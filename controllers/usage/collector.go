// SPDX-License-Identifier: Apache-2.0

// Package usage pulls the report of every running dispatcher, keeps the latest one in memory, and wakes whoever publishes it. It writes nothing to the API
// server.
package usage

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/crmquota/crm-quota-operator/controllers/wake"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// Target is a running dispatcher: where it is, how to know that it is the right one, and what it is expected to have in force.
type Target struct {
	// Address is host and port of the report server, by IP.
	Address string
	// ServerName is what its certificate must be for.
	ServerName string
	// Claim is the volume claim that it runs on. A CA belongs to a claim.
	Claim types.UID
	// CA is the PEM certificate that it must be signed by; empty for a claim that was never seen before, whose CA is then trusted on first use.
	CA string
	// Sequence of the plan last written. While the dispatcher has not got so far, the report is asked for as soon as it has.
	Sequence int64
}

// Observation is what is known of a dispatcher.
type Observation struct {
	// Report is the latest, nil before the first. It must not be changed.
	Report *contract.Report
	// Time is when Report was received, Since when this process first wanted one.
	Time, Since time.Time
	// Claim and CA are of the dispatcher that gave Report.
	Claim types.UID
	CA    string
	// Failure says why the last attempt failed, in words that stay the same; empty if it did not.
	Failure string
	// Former is the last report of the volume that was reported before the present one, and FormerTime when it came; nil if this process never heard another. Of a
	// volume that was put back to an earlier state it is the last one from before that.
	Former     *contract.Report
	FormerTime time.Time

	// named is the last report that names a volume: a dispatcher that has not opened its own yet names none.
	named   *contract.Report
	namedAt time.Time
}

// Reported is what statuses are made from.
func (o *Observation) Reported() status.Reported {
	return status.Reported{Latest: o.Report, At: o.Time, Failure: o.Failure, Since: o.Since}
}

// receive puts a report in place of the one before.
func (o *Observation) receive(report *contract.Report, now time.Time) {
	o.Report, o.Time = report, now
	if report.Volume == "" {
		return
	}
	switch {
	case o.named == nil || o.named.Volume == report.Volume && o.named.Position <= report.Position: // it goes on
	case o.Former != nil && o.Former.Volume == o.named.Volume && o.Former.Position > o.named.Position: // that one had come further
	default:
		o.Former, o.FormerTime = o.named, o.namedAt
	}
	o.named, o.namedAt = report, now
}

// Collector follows dispatchers. Its methods may be called concurrently.
type Collector struct {
	token   func() (string, error)
	periods Periods
	bell    wake.Bell

	mu           sync.Mutex
	followers    map[types.NamespacedName]*follower
	observations map[types.NamespacedName]Observation
	running      sync.WaitGroup
	stopped      bool
}

// Periods are how often a dispatcher is asked.
type Periods struct {
	// Report is the time between two reports, about.
	Report time.Duration
	// Retry is the time before the first attempt after a failure; it doubles up to Report.
	Retry time.Duration
	// Hold is how long the dispatcher may hold an answer back until it has the plan in force.
	Hold time.Duration
}

// DefaultPeriods are meant for production.
var DefaultPeriods = Periods{Report: 15 * time.Second, Retry: 250 * time.Millisecond, Hold: 5 * time.Second}

// NewCollector makes a collector that presents the token, or none when it is empty.
func NewCollector(token func() (string, error), periods Periods) *Collector {
	return &Collector{
		token: token, periods: periods,
		followers:    make(map[types.NamespacedName]*follower),
		observations: make(map[types.NamespacedName]Observation),
	}
}

// Changes returns a channel that names the CRM whenever something new is known of its dispatcher. Call it before the first Follow, and read the channel.
func (c *Collector) Changes() <-chan event.GenericEvent { return c.bell.Listen() }

// Follow asks target for reports from now on, in place of what was followed for the CRM before. It goes on when ctx ends.
func (c *Collector) Follow(ctx context.Context, crm types.NamespacedName, target Target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	current, followed := c.followers[crm]
	if followed && current.target == target || c.stopped {
		return
	}
	if followed {
		current.stop()
		if current.target.Address != target.Address {
			c.forgetFailure(crm)
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &follower{crm: crm, target: target, collector: c, stop: stop}
	c.followers[crm] = f
	c.running.Go(func() { f.run(ctx) })
}

// Pause ends the asking while there is no dispatcher to ask; what is known stays known.
func (c *Collector) Pause(crm types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.followers[crm]; ok {
		f.stop()
		delete(c.followers, crm)
		c.forgetFailure(crm)
	}
}

// Forget ends the asking and drops what is known.
func (c *Collector) Forget(crm types.NamespacedName) {
	c.Pause(crm)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.observations, crm)
}

// Await returns what is known of the CRM's dispatcher. From the first call on a report is expected, whether there is a pod to ask or not.
func (c *Collector) Await(crm types.NamespacedName) Observation {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.observations[crm]
	if o.Since.IsZero() {
		o.Since = time.Now()
		c.observations[crm] = o
	}
	return o
}

// Latest is what is known of the CRM's dispatcher.
func (c *Collector) Latest(crm types.NamespacedName) Observation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.observations[crm]
}

// Start implements manager.Runnable: it ends all following when ctx ends.
func (c *Collector) Start(ctx context.Context) error {
	<-ctx.Done()
	c.mu.Lock()
	c.stopped = true
	for _, f := range c.followers {
		f.stop()
	}
	c.mu.Unlock()
	c.running.Wait()
	return nil
}

// forgetFailure: another pod starts without the failures of the one before.
func (c *Collector) forgetFailure(crm types.NamespacedName) {
	o := c.observations[crm]
	o.Failure = ""
	c.observations[crm] = o
}

// record stores what follower f found out, unless it has been replaced, and rings when it is news.
func (c *Collector) record(ctx context.Context, f *follower, change func(*Observation) (news bool)) {
	c.mu.Lock()
	if c.followers[f.crm] != f {
		c.mu.Unlock()
		return
	}
	o := c.observations[f.crm]
	news := change(&o)
	c.observations[f.crm] = o
	c.mu.Unlock()
	if news {
		c.bell.Ring(ctx, f.crm)
	}
}
