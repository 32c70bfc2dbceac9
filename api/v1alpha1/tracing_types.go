// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Tracing says where OpenTelemetry spans of calls go, and of how many calls. A call is a trace, or goes on with that of its client: the request to the dispatcher,
// what it waited for, and the request to the CRM, to which the W3C trace context is passed on. Spans have no header, query, path or body in them.
type Tracing struct {
	// endpoint is the base URL of a collector that takes OTLP over HTTP, scheme and host with an optional port, without a path: http://otel-collector.observability:4318.
	// Spans are posted to /v1/traces there.
	// +required
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=300
	// +kubebuilder:validation:Pattern=`^https?://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$`
	Endpoint string `json:"endpoint,omitempty"`

	// samplingPercent of the calls are traced whose client sends no traceparent header. Where it does send one, its sampled flag decides, and 0 leaves it to that alone.
	// +optional
	// +default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	SamplingPercent *int32 `json:"samplingPercent,omitempty"`
}
