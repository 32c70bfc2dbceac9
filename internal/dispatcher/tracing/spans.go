// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
)

// Attributes that OpenTelemetry has no names for. All their values come from bounded sets: names from manifests, and reasons of ours.
const (
	crmKey         = attribute.Key("crmquota.crm")
	integrationKey = attribute.Key("crmquota.integration")
	operationKey   = attribute.Key("crmquota.operation")
	outcomeKey     = attribute.Key("crmquota.outcome")
	limitKey       = attribute.Key("crmquota.limit")
	causeKey       = attribute.Key("crmquota.cause")
	membersKey     = attribute.Key("crmquota.members")
)

// Request begins the span of a request of a client; nil if it is not traced.
func (t *Tracer) Request(r *http.Request, began time.Time) intake.Span {
	p := t.current.Load()
	if p == nil || !p.chosen(r.Header) {
		return nil
	}
	ctx, span := p.Start(trace.ContextWithRemoteSpanContext(context.Background(), remote(r.Header)), r.Method,
		trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(began), trace.WithAttributes(semconv.HTTPRequestMethodKey.String(r.Method)))
	return &request{ctx: ctx, span: span, method: r.Method}
}

// request is the span of a request. It implements intake.Span.
type request struct {
	ctx    context.Context //nolint:containedctx // it is what names the span
	span   trace.Span
	method string
}

// Carry implements intake.Span.
func (r *request) Carry(header http.Header) { w3c.Inject(r.ctx, propagation.HeaderCarrier(header)) }

// End implements intake.Span.
func (r *request) End(o intake.Outcome) {
	r.span.SetName(named(r.method, o.Operation))
	r.span.SetAttributes(outcomeKey.String(o.Code))
	r.span.SetAttributes(about(o.Integration, o.Operation)...)
	if o.Limit != "" {
		r.span.SetAttributes(limitKey.String(o.Limit))
	}
	setStatus(r.span, o.Status, http.StatusInternalServerError, o.Code)
	r.span.End()
}

// Held makes the span of what a call has waited for until now. It implements the part of scheduler.Observer that is about single calls.
func (t *Tracer) Held(what *call.Call, waited time.Duration, by scheduler.Held) {
	p := t.current.Load()
	if p == nil || !what.Traced() {
		return
	}
	attributes := []attribute.KeyValue{causeKey.String(string(by.Cause))}
	if by.Limit != "" {
		attributes = append(attributes, limitKey.String(by.Limit))
	}
	now := time.Now()
	_, span := p.Start(trace.ContextWithRemoteSpanContext(context.Background(), remote(what.Header)), "wait for quota",
		trace.WithTimestamp(now.Add(-waited)), trace.WithAttributes(attributes...))
	span.End(trace.WithTimestamp(now))
}

// Sender makes spans of what next sends.
func (t *Tracer) Sender(next scheduler.Sender) scheduler.Sender { return &sender{t, next} }

type sender struct {
	tracer *Tracer
	next   scheduler.Sender
}

// Send implements scheduler.Sender.
func (s *sender) Send(ctx context.Context, charge *upstream.Charge, to upstream.Destination, what *call.Call) upstream.Outcome {
	p := s.tracer.current.Load()
	if p == nil {
		return s.next.Send(ctx, charge, to, what)
	}
	parent, end := p.sending(what)
	if parent == nil {
		return s.next.Send(ctx, charge, to, what)
	}
	carried := *what
	carried.Header = maps.Clone(what.Header)
	if carried.Header == nil {
		carried.Header = http.Header{}
	}
	w3c.Inject(parent, propagation.HeaderCarrier(carried.Header)) //nolint:contextcheck // of the client's trace, or of a new one
	o := s.next.Send(ctx, charge, to, &carried)
	end(o)
	return o
}

// sending begins the span of a request to the CRM; without a context if it is not traced. It belongs to the trace of the client that waits for it. Of queued calls
// nobody knows when they leave, so each sending is a trace of its own that is linked to the requests that queued them, and begins when the first of them came in.
func (p *pipeline) sending(what *call.Call) (ctx context.Context, end func(upstream.Outcome)) {
	if what.ID == "" && len(what.Members) == 0 {
		if !what.Traced() {
			return nil, nil
		}
		return p.exchange(trace.ContextWithRemoteSpanContext(context.Background(), remote(what.Header)), what)
	}
	links := linksOf(what)
	if len(links) == 0 {
		return nil, nil
	}
	whole, span := p.Start(context.Background(), named("dispatch", what.Operation),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...), trace.WithTimestamp(what.AcceptedAt),
		trace.WithAttributes(about(what.Integration, what.Operation)...), trace.WithAttributes(membersKey.Int(max(1, len(what.Members)))))
	ctx, ended := p.exchange(whole, what)
	return ctx, func(o upstream.Outcome) {
		ended(o)
		span.End()
	}
}

// linksOf are the traced requests that a queued call comes from.
func linksOf(what *call.Call) (links []trace.Link) {
	link := func(from http.Header) {
		if call.Traced(from) {
			links = append(links, trace.Link{SpanContext: remote(from)})
		}
	}
	link(what.Header)
	for _, from := range what.Members {
		link(from)
	}
	return links
}

// exchange begins the span of one request.
func (p *pipeline) exchange(parent context.Context, what *call.Call) (context.Context, func(upstream.Outcome)) {
	ctx, span := p.Start(parent, named(what.Method, what.Operation), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(what.Method), semconv.ServerAddress(p.server)), trace.WithAttributes(about(what.Integration, what.Operation)...))
	return ctx, func(o upstream.Outcome) {
		status := 0
		if o.Answer != nil {
			status = o.Answer.Status
		}
		setStatus(span, status, http.StatusBadRequest, "no_answer")
		span.End()
	}
}

// named is a span's name. The operation stands for the path, which has too many values.
func named(method, operation string) string { return strings.TrimSpace(method + " " + operation) }

func about(integration, operation string) []attribute.KeyValue {
	attributes := []attribute.KeyValue{integrationKey.String(integration)}
	if operation != "" {
		attributes = append(attributes, operationKey.String(operation))
	}
	return attributes
}

// setStatus writes the status of an HTTP exchange, 0 for none. From failed on it is an error.
func setStatus(span trace.Span, status, failed int, code string) {
	if status != 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
	if status == 0 || status >= failed {
		span.SetStatus(codes.Error, "")
		if status != 0 {
			code = strconv.Itoa(status)
		}
		span.SetAttributes(semconv.ErrorTypeKey.String(code))
	}
}
