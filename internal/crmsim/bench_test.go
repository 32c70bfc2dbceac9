// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkCall is what the CRM itself costs a load test, network left out.
func BenchmarkCall(b *testing.B) {
	sim := New(Config{Limits: limits("minute=1000000/60s:bucket:1000000", "day=1000000/calendar:Europe/Berlin")})
	defer sim.Close()
	for name, request := range map[string]func() *http.Request{
		"create": func() *http.Request {
			return httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/api/v2/tickets", strings.NewReader(ticketJSON("x")))
		},
		"search": func() *http.Request {
			return httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/api/v2/users/search?query=user17&per_page=1", http.NoBody)
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				sim.ServeHTTP(httptest.NewRecorder(), request())
			}
		})
	}
}
