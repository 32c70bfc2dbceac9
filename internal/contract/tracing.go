// SPDX-License-Identifier: Apache-2.0

package contract

// Tracing says where spans of calls go, and of how many calls.
type Tracing struct {
	// Endpoint is the base URL of a collector that takes OTLP over HTTP, without a path.
	Endpoint string `json:"endpoint"`
	// SamplingPercent of the calls are traced whose client does not say whether to; 0 to 100.
	SamplingPercent int64 `json:"samplingPercent"`
}
