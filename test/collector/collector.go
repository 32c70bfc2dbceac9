// SPDX-License-Identifier: Apache-2.0

// Package collector takes spans as an OpenTelemetry collector does, for tests.
package collector

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	v1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one that was exported. IDs are in hexadecimal digits.
type Span struct {
	Name, Kind, Trace, ID, Parent string
	// Links are the IDs of the spans that it is linked to.
	Links      []string
	Attributes map[string]string
	Began      time.Time
	Failed     bool
}

// Collector takes spans under its URL by OTLP over HTTP.
type Collector struct {
	*httptest.Server
	tb testing.TB
	// Status is what it answers with, if it is set, in place of taking spans.
	Status int
	// Hold, if set, is closed when it may answer.
	Hold chan struct{}

	mu       sync.Mutex
	spans    []Span
	resource map[string]string
}

// Start serves until the test ends.
func Start(tb testing.TB, change func(*Collector)) *Collector {
	tb.Helper()
	c := &Collector{tb: tb}
	if change != nil {
		change(c)
	}
	c.Server = httptest.NewServer(c)
	tb.Cleanup(c.Close)
	return c
}

// ServeHTTP implements http.Handler.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.Hold != nil {
		<-c.Hold
	}
	got, err := read(r)
	if err != nil || r.URL.Path != "/v1/traces" {
		c.tb.Errorf("an export to %s: %v", r.URL.Path, err)
	}
	if c.Status != 0 {
		w.WriteHeader(c.Status)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, from := range got.GetResourceSpans() {
		c.resource = texts(from.GetResource().GetAttributes())
		for _, in := range from.GetScopeSpans() {
			for _, s := range in.GetSpans() {
				c.spans = append(c.spans, spanOf(s))
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func read(r *http.Request) (*v1.ExportTraceServiceRequest, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = unpacked
	}
	packed, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	got := &v1.ExportTraceServiceRequest{}
	return got, proto.Unmarshal(packed, got)
}

func spanOf(s *otlp.Span) Span {
	out := Span{
		Name: s.GetName(), Kind: s.GetKind().String(), Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()),
		Parent: hex.EncodeToString(s.GetParentSpanId()), Attributes: texts(s.GetAttributes()),
		Began:  time.Unix(0, int64(s.GetStartTimeUnixNano())), //nolint:gosec // of this century
		Failed: s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR,
	}
	for _, l := range s.GetLinks() {
		out.Links = append(out.Links, hex.EncodeToString(l.GetSpanId()))
	}
	return out
}

func texts(attributes []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range attributes {
		text := a.GetValue().GetStringValue()
		if _, number := a.GetValue().GetValue().(*common.AnyValue_IntValue); number {
			text = strconv.FormatInt(a.GetValue().GetIntValue(), 10)
		}
		all[a.GetKey()] = text
	}
	return all
}

// Spans are those that were taken so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Resource is what the last export said of the process.
func (c *Collector) Resource() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resource
}

// Span is the one of this name. The test ends unless there is exactly one.
func (c *Collector) Span(name string) Span {
	c.tb.Helper()
	var found []Span
	for _, s := range c.Spans() {
		if s.Name == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		c.tb.Fatalf("%d spans are named %q, of %+v", len(found), name, c.Spans())
	}
	return found[0]
}
