// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
)

const (
	namespace = "crmquota"
	subsystem = "dispatcher"
)

// Metrics are the dispatcher's, in a registry of their own. Labels are bounded: integrations and limits by the plan, operations by the provider.
type Metrics struct {
	registry *prometheus.Registry
	waited   *prometheus.HistogramVec
	upstream *prometheus.HistogramVec
	requests *prometheus.CounterVec
	served   *prometheus.HistogramVec
	spans    prometheus.Counter
	erased   *prometheus.CounterVec
	told     *prometheus.CounterVec
}

// NewMetrics returns metrics of what is observed; Watch adds the scheduler's state.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		waited: histogram("decision_wait_seconds", "How long a call waited in the scheduler until it was let through.",
			[]float64{.001, .01, .1, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 21600, 86400}, "integration"),
		upstream: histogram("upstream_request_seconds", "How long the CRM took for a request; the status is 0 if it gave no answer.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}, "operation", "status"),
		served: histogram("intake_request_seconds", "How long a request of a client took, waiting included.",
			[]float64{.001, .005, .01, .05, .1, .5, 1, 2.5, 5, 10, 30, 60, 300}, "integration", "outcome"),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "intake_requests_total",
			Help: "Requests of clients: Forwarded, Kept, Accepted (202), ClientGone, CutShort, or the reason of their refusal; with the class of the answer's status.",
		}, []string{"integration", "operation", "outcome", "status"}),
		spans: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "trace_spans_lost_total", Help: "Spans that the collector of traces did not take.",
		}),
		erased: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "erased_calls_total",
			Help: "Queued and parked calls that an order to erase has ended, since the process began.",
		}, []string{"integration"}),
		told: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "callback_attempts_total",
			Help: "Requests that told a receiver of a result, with the class of the answer's status; empty if none came.",
		}, []string{"integration", "endpoint", "status"}),
	}
	m.registry.MustRegister(m.waited, m.upstream, m.served, m.requests, m.spans, m.erased, m.told,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Subsystem: subsystem, Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

// Decided implements scheduler.Observer.
func (m *Metrics) Decided(integration string, waited time.Duration) {
	m.waited.WithLabelValues(integration).Observe(waited.Seconds())
}

// Exchanged implements scheduler.Observer.
func (m *Metrics) Exchanged(_, operation string, took time.Duration, status int) {
	m.upstream.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
}

// Erased implements scheduler.Observer.
func (m *Metrics) Erased(integration string, calls int) {
	m.erased.WithLabelValues(integration).Add(float64(calls))
}

// Told counts a request to a receiver of callbacks.
func (m *Metrics) Told(integration, endpoint string, status int) {
	m.told.WithLabelValues(integration, endpoint, classOf(status)).Inc()
}

// Served counts a request that the intake has answered.
func (m *Metrics) Served(o intake.Outcome) {
	m.requests.WithLabelValues(o.Integration, o.Operation, o.Code, classOf(o.Status)).Inc()
	m.served.WithLabelValues(o.Integration, o.Code).Observe(o.Took.Seconds())
}

// classOf is 2xx for 204; empty if no answer was sent.
func classOf(status int) string {
	if status == 0 {
		return ""
	}
	return strconv.Itoa(status/100) + "xx"
}

// SpansLost counts spans that could not be exported.
func (m *Metrics) SpansLost(n int) { m.spans.Add(float64(n)) }

// forget drops the series of an integration that is gone.
func (m *Metrics) forget(integration string) {
	gone := prometheus.Labels{"integration": integration}
	m.waited.DeletePartialMatch(gone)
	m.requests.DeletePartialMatch(gone)
	m.served.DeletePartialMatch(gone)
	m.erased.DeletePartialMatch(gone)
	m.told.DeletePartialMatch(gone)
}

// Watch adds the scheduler's state: it is asked for a snapshot at each scrape.
func (m *Metrics) Watch(scheduler Scheduler) {
	m.registry.MustRegister(&state{scheduler: scheduler, metrics: m})
}

// Handler serves the metrics.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), EnableOpenMetrics: true})
}
