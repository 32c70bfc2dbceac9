// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, name), help, labels, nil)
}

var (
	planSequence = describe("plan_sequence", "Sequence of the plan in force; 0 before the first.")
	enforcing    = describe("enforcing", "1 if limits are enforced, 0 under Observe, Shadow and bypass.")
	answering    = describe("crm_answering", "1 if the CRM takes calls, 0 if it has taken none of the last ones, several in a row; absent before the first call.")
	usageCalls   = describe("usage_calls_total", "Calls that asked the CRM what has been used of its limits, since the volume was made.")
	refusedUntil = describe("refused_until_timestamp_seconds", "Until when the CRM asked for no more calls; absent if it did not.")
	waiting      = describe("waiting_calls", "Calls that a client waits for and that were not sent yet.")
	inFlight     = describe("in_flight_requests", "Requests to the CRM that have no end yet.")

	limitCalls    = describe("limit_calls", "What a limit allows.", "limit")
	usedCalls     = describe("used_calls", "Calls charged to a limit, those in doubt included.", "limit")
	inDoubtCalls  = describe("in_doubt_calls", "Charged calls of which it is not known whether the CRM counted them.", "limit")
	externalCalls = describe("external_calls", "What callers outside the dispatcher use of a window or period of a limit, by the CRM's own word; absent if it does not tell.", "limit")
	keptFreeCalls = describe("kept_free_calls", "What the shares of callers outside the dispatcher keep free of a limit.", "limit")
	reportedCalls = describe("reported_limit_calls", "What a limit allows by the CRM's own word; absent if it does not tell.", "limit")
	crmRefusals   = describe("crm_refusals_total", "Refusals for quota by the CRM, by who is to blame.", "verdict")
	lentCalls     = describe("lent_calls", "What is guaranteed, not used, and may be borrowed now.", "limit")
	borrowedCalls = describe("borrowed_calls", "What is used beyond the guarantees of those who use it.", "limit")
	demandCalls   = describe("demand_calls", "What all integrations are expected to ask for in a window or period of a limit: with even chances (p50), and what is passed in one case of 20 (p95).", "limit", "chance")
	exhaustion    = describe("exhaustion_timestamp_seconds",
		"When a limit is expected to be used up before it is renewed: with even chances (p50), or in one case of 20 (p95, the earlier); absent if it is not.", "limit", "chance")

	ledgerWaiting = describe("ledger_waiting", "1 while calls wait because a volume was lost and it is not known yet what had been used.")
	adequate      = describe("licence_adequate", "1 if the licence is large enough for the demand of the last days, 0 if not; absent while too little was seen.")

	guaranteedCalls = describe("integration_guaranteed_calls", "Calls of a limit that are guaranteed to an integration.", "integration", "limit")
	usedByCalls     = describe("integration_used_calls", "Calls of a limit that are charged to an integration.", "integration", "limit")
	lentByCalls     = describe("integration_lent_calls", "What is guaranteed to an integration, not used, and may be borrowed now.", "integration", "limit")
	borrowedByCalls = describe("integration_borrowed_calls", "What an integration has used beyond its guarantee.", "integration", "limit")
	demandOfCalls   = describe("integration_demand_calls", "What an integration is expected to have used when a limit is renewed.", "integration", "limit")
	guaranteeMissed = describe("integration_guarantee_missed_seconds", "For how long a call within what is never lent of the guarantee has been waiting.", "integration")

	backlogBytes  = describe("backlog_bytes", "Size of the bodies of queued calls.", "integration")
	backlogCalls  = describe("backlog_calls", "Acknowledged calls by state: queued, sent, parked, dead.", "integration", "state")
	backlogOldest = describe("backlog_oldest_timestamp_seconds", "When the oldest queued call was accepted; absent if none is queued.", "integration")
	backlogDrain  = describe("backlog_drain_seconds",
		"Time until the queue is empty that is kept with even chances (p50), or in 19 cases of 20 (p95); absent if it cannot be foreseen.", "integration", "chance")

	callbacksWaiting   = describe("callbacks_waiting", "Callbacks that are yet to be delivered.", "integration")
	callbacksDelivered = describe("callbacks_delivered_total", "Callbacks that their receivers have taken, since the volume was made.", "integration")
	callbacksGivenUp   = describe("callbacks_given_up_total", "Callbacks that are not tried any more, since the volume was made.", "integration")

	accepted   = describe("accepted_calls_total", "Calls that were queued with a 202, since the volume was made.", "integration")
	dispatched = describe("dispatched_requests_total", "Requests that were sent to the CRM, since the volume was made.", "integration")
	drained    = describe("drained_calls_total", "Queued calls that the CRM has answered, since the volume was made.", "integration")
	refused    = describe("refused_calls_total", "Calls that the dispatcher turned away, since the volume was made.", "integration")
	forwarded  = describe("forwarded_calls_total", "Calls that a client waited for and the CRM has answered, since the volume was made.", "integration")
	saved      = describe("saved_calls_total", "Calls that were answered without a request of their own to the CRM, since the volume was made.", "integration")
	overheld   = describe("overheld_calls_total", "Calls that Enforce would have held back under Shadow and bypass, since the volume was made.", "integration")
)

// state turns a snapshot of the scheduler into metrics.
type state struct {
	scheduler Scheduler
	metrics   *Metrics

	mu    sync.Mutex
	known map[string]bool // integrations at the last scrape
}

// Describe sends nothing: which metrics there are depends on the plan.
func (s *state) Describe(chan<- *prometheus.Desc) {}

// Collect asks for a snapshot. Without one, only what was observed is served.
func (s *state) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), loopTime)
	defer cancel()
	snapshot, err := s.scheduler.Snapshot(ctx)
	if err != nil {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	overall(snapshot, gauge)
	out <- prometheus.MustNewConstMetric(usageCalls, prometheus.CounterValue, float64(snapshot.UsageCalls))
	for verdict, n := range snapshot.Refusals {
		out <- prometheus.MustNewConstMetric(crmRefusals, prometheus.CounterValue, float64(n), string(verdict))
	}
	present := make(map[string]bool, len(snapshot.Integrations))
	for _, i := range snapshot.Integrations {
		key := i.Namespace + "/" + i.Name
		present[key] = true
		integration(key, i, gauge)
		counters(key, i.Counters, out)
		if c := i.Callbacks; c != nil {
			gauge(callbacksWaiting, float64(c.Waiting), key)
			out <- prometheus.MustNewConstMetric(callbacksDelivered, prometheus.CounterValue, float64(c.Delivered), key)
			out <- prometheus.MustNewConstMetric(callbacksGivenUp, prometheus.CounterValue, float64(c.GivenUp), key)
		}
	}
	s.forgetAllBut(present)
}

// Values of the label "chance" of forecasts.
const even, likely = "p50", "p95"

func moment(gauge gaugeFunc, desc *prometheus.Desc, at *time.Time, labels ...string) {
	if at != nil {
		gauge(desc, seconds(*at), labels...)
	}
}

type gaugeFunc func(desc *prometheus.Desc, value float64, labels ...string)

func overall(s scheduler.Snapshot, gauge gaugeFunc) {
	sequence := int64(0)
	if s.Plan != nil {
		sequence = s.Plan.Sequence
	}
	gauge(planSequence, float64(sequence))
	gauge(enforcing, number01(s.Enforcing))
	if s.Answering.Known {
		gauge(answering, number01(s.Answering.Trouble == ""))
	}
	gauge(waiting, float64(s.Waiting))
	gauge(inFlight, float64(s.InFlight))
	if s.RefusedUntil != nil {
		gauge(refusedUntil, seconds(*s.RefusedUntil))
	}
	for _, w := range s.Windows {
		gauge(limitCalls, float64(w.Limit), w.Name)
		gauge(usedCalls, float64(w.Used), w.Name)
		gauge(inDoubtCalls, float64(w.InDoubt), w.Name)
		if w.External != nil {
			gauge(externalCalls, float64(*w.External), w.Name)
		}
		if w.Reported != nil {
			gauge(reportedCalls, float64(*w.Reported), w.Name)
		}
		gauge(keptFreeCalls, float64(w.KeptFree), w.Name)
		gauge(lentCalls, float64(w.Lent), w.Name)
		gauge(borrowedCalls, float64(w.Borrowed), w.Name)
		gauge(demandCalls, float64(w.DemandP50), w.Name, even)
		gauge(demandCalls, float64(w.DemandP95), w.Name, likely)
		if e := w.Exhaustion; e != nil {
			moment(gauge, exhaustion, e.P50, w.Name, even)
			moment(gauge, exhaustion, e.P95, w.Name, likely)
		}
	}
	gauge(ledgerWaiting, number01(s.Ledger.Waiting))
	if s.Advice != nil {
		gauge(adequate, number01(s.Advice.Adequate))
	}
}

func integration(key string, i contract.IntegrationReport, gauge gaugeFunc) {
	for _, w := range i.Windows {
		gauge(guaranteedCalls, float64(w.Guaranteed), key, w.Name)
		gauge(usedByCalls, float64(w.Used), key, w.Name)
		gauge(lentByCalls, float64(w.Lent), key, w.Name)
		gauge(borrowedByCalls, float64(w.Borrowed), key, w.Name)
		gauge(demandOfCalls, float64(w.Demand), key, w.Name)
	}
	gauge(guaranteeMissed, float64(i.GuaranteeMissedSeconds), key)
	for state, calls := range map[string]int64{"queued": i.Backlog.Queued, "sent": i.Backlog.Sent, "parked": i.Backlog.Parked, "dead": i.Backlog.Dead} {
		gauge(backlogCalls, float64(calls), key, state)
	}
	gauge(backlogBytes, float64(i.Backlog.QueuedBytes), key)
	moment(gauge, backlogOldest, i.Backlog.OldestQueued, key)
	for chance, drain := range map[string]*int64{even: i.Backlog.DrainSeconds, likely: i.Backlog.DrainP95Seconds} {
		if drain != nil {
			gauge(backlogDrain, float64(*drain), key, chance)
		}
	}
}

func counters(key string, c contract.IntegrationCounters, out chan<- prometheus.Metric) {
	for desc, calls := range map[*prometheus.Desc]int64{
		accepted: c.Accepted, dispatched: c.Dispatched, drained: c.Drained, refused: c.Refused, forwarded: c.Forwarded, overheld: c.Overheld,
		saved: c.Saved,
	} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(calls), key)
	}
}

// forgetAllBut drops the observed series of integrations that are gone.
func (s *state) forgetAllBut(present map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.known {
		if !present[key] {
			s.metrics.forget(key)
		}
	}
	s.known = present
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func number01(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
