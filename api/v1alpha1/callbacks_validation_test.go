// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestIntegrationCallbacks(t *testing.T) {
	endpoint := func(name, url string) any { return map[string]any{"name": name, "url": url} }
	to := func(endpoints ...any) edits {
		return edits{"spec.callbacks": map[string]any{"secretRef": map[string]any{"name": "keys"}, "endpoints": endpoints}}
	}
	url := func(url string) edits { return to(endpoint("app", url)) }
	var nine []any
	for n := range 9 {
		nine = append(nine, endpoint(fmt.Sprint("e", n), "https://example.com"))
	}
	const noURL, notThere = "spec.callbacks.endpoints[0].url in body should match", "url must be https, or http to a name of the cluster"
	judge(t, validIntegration, map[string]verdict{
		"https is taken":                       {url("https://app.example.com/crm/results?key=a%20b"), ""},
		"https with a port and no path":        {url("https://app.example.com:8443"), ""},
		"a Service by its name":                {url("http://adapter:8080/results"), ""},
		"a Service of a namespace":             {url("http://adapter.contact-centre.svc/results"), ""},
		"a Service of a cluster":               {url("http://adapter.contact-centre.svc.cluster.local/results"), ""},
		"http to elsewhere is refused":         {url("http://app.example.com/results"), notThere},
		"http to an address is refused":        {url("http://10.1.2.3/results"), notThere},
		"http to what looks like it, too":      {url("http://adapter.svc-of.example.com/results"), notThere},
		"another scheme is refused":            {url("ftp://app.example.com/results"), noURL},
		"a user is refused":                    {url("https://user@app.example.com/results"), noURL},
		"a fragment is refused":                {url("https://app.example.com/results#a"), noURL},
		"two endpoints are taken":              {to(endpoint("a", "https://example.com/a"), endpoint("b", "https://example.com/b")), ""},
		"two of one name are refused":          {to(endpoint("a", "https://example.com/a"), endpoint("a", "https://example.com/b")), "spec.callbacks.endpoints[1]: Duplicate value"},
		"nine are refused":                     {to(nine...), "spec.callbacks.endpoints: Too many: 9: must have at most 8 items"},
		"none is refused":                      {to([]any{}...), "spec.callbacks.endpoints in body should have at least 1 items"},
		"a name with a dot is refused":         {to(endpoint("a.b", "https://example.com")), "spec.callbacks.endpoints[0].name in body should match"},
		"a name of 64 letters is refused":      {to(endpoint(strings.Repeat("a", 64), "https://example.com")), "spec.callbacks.endpoints[0].name: Too long: may not be more than 63 bytes"},
		"without a Secret it is refused":       {edits{"spec.callbacks": map[string]any{"endpoints": []any{endpoint("a", "https://example.com")}}}, "spec.callbacks.secretRef: Required value"},
		"with route External it is refused":    {edits{"spec.route": "External", "spec.clients": nil, "spec.overflow": nil, "spec.callbacks": url("https://a.example")["spec.callbacks"]}, "callbacks must not be set with route External"},
		"without endpoints at all, it is, too": {edits{"spec.callbacks": map[string]any{"secretRef": map[string]any{"name": "keys"}}}, "spec.callbacks.endpoints: Required value"},
	})
}
