// SPDX-License-Identifier: Apache-2.0

// Package tracing makes OpenTelemetry spans of calls and hands them to a collector: of the request to the intake, of what it waited for, and of the request to the
// CRM. Which calls are traced goes with them as a traceparent header (W3C Trace Context), which queued calls keep in the store. Without a collector in the plan, and
// for calls that are not traced, nothing is made and no memory is taken.
package tracing

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
)

const (
	// service is the name under which the spans are found.
	service = "crmquota-dispatcher"
	scope   = "github.com/crmquota/crm-quota-operator/internal/dispatcher"
	// exportTime bounds one export, closing the last one.
	exportTime, closing = 10 * time.Second, 5 * time.Second
	// idle is how long a connection to the collector is kept.
	idle = 90 * time.Second
)

// Options of a Tracer. Log is required.
type Options struct {
	// Version of the dispatcher.
	Version string
	Log     *slog.Logger
	// Lost, if set, is told how many spans could not be exported.
	Lost func(spans int)
}

// Tracer makes spans as the plan in force has it. Its methods may be called by many goroutines, and wait for nobody: while the collector does not take spans, up to
// 2,048 are kept, and those that come then are dropped.
type Tracer struct {
	options Options
	current atomic.Pointer[pipeline]
	// retiring are pipelines that export what they have left.
	retiring sync.WaitGroup
}

// pipeline is the way to one collector.
type pipeline struct {
	settings
	trace.Tracer
	provider *sdktrace.TracerProvider
}

// settings are what a pipeline is made of.
type settings struct {
	contract.Tracing
	namespace, crm string
	// server is the CRM's host.
	server string
}

// New returns a Tracer that makes no spans before Follow.
func New(o Options) *Tracer { return &Tracer{options: o} }

// Follow keeps to the plan in force until ctx ends.
func (t *Tracer) Follow(ctx context.Context, plan func() (*contract.Plan, <-chan struct{})) {
	for {
		p, changed := plan()
		t.apply(ctx, p)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// Close exports what is left, for 5 s at most, whether ctx has ended or not. Nothing is traced any more.
func (t *Tracer) Close(ctx context.Context) {
	t.retire(ctx, t.current.Swap(nil))
	t.retiring.Wait()
}

func (t *Tracer) apply(ctx context.Context, plan *contract.Plan) {
	now := t.current.Load()
	if plan == nil || plan.Tracing == nil {
		t.retire(ctx, t.current.Swap(nil))
		return
	}
	wanted := settings{Tracing: *plan.Tracing, namespace: plan.CRM.Namespace, crm: plan.CRM.Name}
	if endpoint, err := url.Parse(plan.Endpoint); err == nil {
		wanted.server = endpoint.Hostname()
	}
	if now != nil && now.settings == wanted {
		return
	}
	made, err := t.open(ctx, wanted)
	if err != nil {
		t.options.Log.Error("Calls cannot be traced", "error", err)
	}
	t.retire(ctx, t.current.Swap(made))
}

// open returns a pipeline, nil with an error.
func (t *Tracer) open(ctx context.Context, s settings) (*pipeline, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(s.Endpoint+"/v1/traces"), otlptracehttp.WithHTTPClient(exporting()))
	if err != nil {
		return nil, err
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&watched{SpanExporter: exporter, lost: t.lost}),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), // what is not to be traced does not come here
		sdktrace.WithResource(resource.NewWithAttributes(semconv.SchemaURL,
			semconv.ServiceName(service), semconv.ServiceVersion(t.options.Version), semconv.K8SNamespaceName(s.namespace), crmKey.String(s.crm),
		)),
	)
	return &pipeline{settings: s, Tracer: provider.Tracer(scope), provider: provider}, nil
}

// exporting returns a client that goes straight to the collector, which as a rule stands in the cluster: no proxy of the environment is used.
func exporting() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: guard.Dialer(contract.NetworkPrivate), IdleConnTimeout: idle}, Timeout: exportTime}
}

// retire lets a pipeline export what it has left, whether ctx has ended or not.
func (t *Tracer) retire(ctx context.Context, p *pipeline) {
	if p == nil {
		return
	}
	t.retiring.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if err := p.provider.Shutdown(ctx); err != nil {
			t.options.Log.Warn("Not all spans could be exported", "error", err)
		}
	})
}

func (t *Tracer) lost(spans int, err error) {
	t.options.Log.Warn("Spans could not be exported", "spans", spans, "error", err)
	if t.options.Lost != nil {
		t.options.Lost(spans)
	}
}

// watched is an exporter that tells of its failures.
type watched struct {
	sdktrace.SpanExporter
	lost func(spans int, err error)
}

// ExportSpans implements sdktrace.SpanExporter. It returns no error, of which the SDK would tell a log of its own.
func (w *watched) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := w.SpanExporter.ExportSpans(ctx, spans); err != nil {
		w.lost(len(spans), err)
	}
	return nil
}

var w3c propagation.TraceContext

// remote is the context that a header names.
func remote(header http.Header) trace.SpanContext {
	return trace.SpanContextFromContext(w3c.Extract(context.Background(), propagation.HeaderCarrier(header)))
}

// chosen says whether a request is traced: its client's word counts, without one the dice.
func (p *pipeline) chosen(header http.Header) bool {
	if _, said := header["Traceparent"]; said {
		return call.Traced(header)
	}
	return p.SamplingPercent > 0 && rand.Int64N(100) < p.SamplingPercent //nolint:gosec // nothing hangs on who is chosen
}
