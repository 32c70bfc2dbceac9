// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// logged handles a request and returns what was logged, too.
func logged(f *fake, r *http.Request) (*http.Response, string) {
	var log bytes.Buffer
	recorder := httptest.NewRecorder()
	New(Options{Calls: f, Log: slog.New(slog.NewTextHandler(&log, nil))}).ServeHTTP(recorder, r)
	return recorder.Result(), log.String()
}

func TestStoredRequests(t *testing.T) {
	header := func(contentType string) http.Header { return http.Header{"Content-Type": {contentType}} }
	for name, test := range map[string]struct {
		call call.Call
		want map[string]any
	}{
		"JSON": {
			call.Call{Method: "POST", Target: "/tickets", Header: header("application/json"), Body: []byte(`{"for":"erika"}`)},
			map[string]any{"id": "01J", "method": "POST", "target": "/tickets", "headers": map[string]any{"Content-Type": []any{"application/json"}}, "body": map[string]any{"for": "erika"}},
		},
		"text": {
			call.Call{Method: "POST", Target: "/x", Body: []byte("erika")},
			map[string]any{"id": "01J", "method": "POST", "target": "/x", "body": "erika"},
		},
		"bytes": {
			call.Call{Method: "POST", Target: "/x", Body: []byte{0xff}},
			map[string]any{"id": "01J", "method": "POST", "target": "/x", "body": "/w==", "bodyEncoding": "base64"},
		},
		"no body": {call.Call{Method: "DELETE", Target: "/x"}, map[string]any{"id": "01J", "method": "DELETE", "target": "/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.call.ID = "01J"
			f := &fake{plan: newPlan(), calls: []*call.Call{&test.call}}
			response, log := logged(f, request("GET", "/-/results/01J/request", ""))
			if diff := cmp.Diff(test.want, decode(t, response)); diff != "" || response.StatusCode != http.StatusOK {
				t.Errorf("status %d (-want +got):\n%s", response.StatusCode, diff)
			}
			if !strings.Contains(log, "audit=true integration=contact-centre/ccai client=adapter call=01J") || strings.Contains(log, "erika") {
				t.Errorf("the log says %s", log)
			}
		})
	}
	response, log := logged(&fake{plan: newPlan()}, request("GET", "/-/results/01J/request", ""))
	if response.StatusCode != http.StatusGone || strings.Contains(log, "audit") {
		t.Errorf("of what is gone: status %d; the log says %s", response.StatusCode, log)
	}
}

func TestOrderToErase(t *testing.T) {
	f := &fake{plan: newPlan()}
	response, log := logged(f, request("POST", "/-/erase?before=2026-11-24", ""))
	want := map[string]any{"before": "2026-11-24", "queued": 2.0, "parked": 1.0}
	if diff := cmp.Diff(want, decode(t, response)); diff != "" || response.StatusCode != http.StatusOK {
		t.Errorf("status %d (-want +got):\n%s", response.StatusCode, diff)
	}
	if diff := cmp.Diff([]string{"erase contact-centre/ccai 2026-11-24 00:00:00 +0000 UTC"}, f.orders); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{"audit=true integration=contact-centre/ccai client=adapter before=2026-11-24\n", "before=2026-11-24 queued=2 parked=1"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log says %s", log)
		}
	}
	for _, bad := range []string{"/-/erase", "/-/erase?before=", "/-/erase?before=now", "/-/erase?before=2026-11-24T10:00:00Z"} {
		f := &fake{plan: newPlan()}
		if response := handle(f, request("POST", bad, "")); response.StatusCode != http.StatusBadRequest || len(f.orders) != 0 {
			t.Errorf("%s: status %d, orders %v", bad, response.StatusCode, f.orders)
		}
	}
	if response := handle(&fake{plan: newPlan()}, request("GET", "/-/erase?before=2026-11-24", "")); response.StatusCode != http.StatusNotFound {
		t.Errorf("erasing by reading: status %d", response.StatusCode)
	}
	refused := &fake{plan: newPlan(), disobey: &call.Refusal{Code: contract.ReasonNotEncrypted}}
	if response := handle(refused, request("POST", "/-/erase?before=2026-11-24", "")); response.StatusCode != http.StatusConflict {
		t.Errorf("without encryption: status %d", response.StatusCode)
	}
}
