// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestConfine(t *testing.T) {
	type test struct {
		method, target, host string
		want, wantRefusal    string
	}
	tests := map[string]test{
		"a path":                         {target: "/api/v2/tickets/12.json?page=2", want: "/api/v2/tickets/12.json"},
		"the root":                       {target: "/", want: "/"},
		"a slash at the end":             {target: "/api/", want: "/api/"},
		"encoded letters and spaces":     {target: "/%61pi/a%20b/%C3%A4", want: "/api/a b/ä"},
		"dots inside a name":             {target: "/api/..a/b..c/...", want: "/api/..a/b..c/..."},
		"anything in the query":          {target: "/a?next=../../%2e%2e/%2f\\", want: "/a"},
		"a host with a port":             {target: "/a", host: "zendesk.svc:8443", want: "/a"},
		"an IPv6 host":                   {target: "/a", host: "[::1]:8443", want: "/a"},
		"a result":                       {target: "/-/results/01J", want: "/-/results/01J"},
		"an absolute target":             {target: "http://evil.com/a", wantRefusal: "must be a path"},
		"an asterisk":                    {method: "OPTIONS", target: "*", wantRefusal: "must be a path"},
		"a tunnel":                       {method: "CONNECT", target: "evil.com:443", wantRefusal: "method is not passed on"},
		"a trace":                        {method: "TRACE", target: "/", wantRefusal: "method is not passed on"},
		"two slashes at the start":       {target: "//evil.com/a", wantRefusal: "empty segment"},
		"two slashes inside":             {target: "/api//v2", wantRefusal: "empty segment"},
		"dots":                           {target: "/api/../admin", wantRefusal: "segment of dots"},
		"dots at the end":                {target: "/api/..", wantRefusal: "segment of dots"},
		"a dot":                          {target: "/api/./v2", wantRefusal: "segment of dots"},
		"dots with a parameter":          {target: "/api/..;x=1/admin", wantRefusal: "segment of dots"},
		"dots with an encoded parameter": {target: "/api/..%3Bx/admin", wantRefusal: "segment of dots"},
		"encoded dots":                   {target: "/api/%2e%2E/admin", wantRefusal: "percent-encoded dot"},
		"an encoded slash":               {target: "/api/a%2Fb", wantRefusal: "percent-encoded dot"},
		"an encoded backslash":           {target: "/api/a%5cb", wantRefusal: "percent-encoded dot"},
		"an encoding of an encoding":     {target: "/api/%252e%252e/a", wantRefusal: "percent-encoded dot"},
		"an encoded zero byte":           {target: "/api/a%00b", wantRefusal: "percent-encoded dot"},
		"an encoded line end":            {target: "/api/a%0d%0ab", wantRefusal: "percent-encoded dot"},
		"a backslash":                    {target: `/api\..\admin`, wantRefusal: "backslash"},
		"a space":                        {target: "/api/a b", wantRefusal: "must be percent-encoded"},
		"bytes beyond ASCII":             {target: "/api/\xc3\xa4", wantRefusal: "must be percent-encoded"},
		"a broken encoding":              {target: "/api/%zz", wantRefusal: "broken percent-encoding"},
		"an encoding that is cut short":  {target: "/api/%4", wantRefusal: "broken percent-encoding"},
		"a fragment":                     {target: "/api?x#y", wantRefusal: "fragment"},
		"a line end in the query":        {target: "/api?x\ny", wantRefusal: "control character"},
		"a host with a user":             {target: "/a", host: "user@zendesk.svc", wantRefusal: "Host header"},
		"a host with a path":             {target: "/a", host: "zendesk.svc/evil", wantRefusal: "Host header"},
		"a host with a space":            {target: "/a", host: "zendesk.svc evil", wantRefusal: "Host header"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{Method: test.method, RequestURI: test.target, Host: test.host}
			if r.Method == "" {
				r.Method = http.MethodGet
			}
			got, err := confine(r)
			if test.wantRefusal == "" {
				if err != nil || got != test.want {
					t.Errorf("got %q, %v; want %q", got, err, test.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.wantRefusal) {
				t.Errorf("got %q, %v; want a refusal with %q", got, err, test.wantRefusal)
			}
		})
	}
}

// FuzzConfine holds what passes against what servers are known to do with a path: decode it (twice), turn backslashes, drop parameters, clean it. It stays where it is.
func FuzzConfine(f *testing.F) {
	for _, seed := range []string{"/api/v2", "/a/../b", "/%2e%2e/", "/..;/", "/%252e/", "//a", `/\..`, "/a%2fb", "http://x/", "/..%3b/a", "/a/%c0%ae"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		decoded, err := confine(&http.Request{Method: http.MethodGet, RequestURI: target, Host: "zendesk.svc"})
		if err != nil {
			return
		}
		sent, _, _ := strings.Cut(target, "?")
		u, err := url.Parse(crmURL + target)
		if err != nil || u.Host != "acme.zendesk.com" || u.User != nil {
			t.Fatalf("%q leads to %v (%v)", target, u, err)
		}
		twice, err := url.PathUnescape(decoded)
		if err != nil {
			twice = decoded
		}
		for _, reading := range []string{sent, decoded, twice} {
			reading = strings.ReplaceAll(reading, `\`, "/")
			segments := strings.Split(reading, "/")
			for i := range segments {
				segments[i], _, _ = strings.Cut(segments[i], ";")
			}
			plain := strings.Join(segments, "/")
			if cleaned := path.Clean(plain); strings.Count(cleaned, "/") < strings.Count(strings.TrimSuffix(plain, "/"), "/") {
				t.Fatalf("%q can be read as %q", target, cleaned)
			}
		}
		if strings.Count(decoded, "/") != strings.Count(sent, "/") {
			t.Fatalf("%q has other segments when decoded: %q", target, decoded)
		}
	})
}
