// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// methods that are passed on. CONNECT and TRACE are for proxies.
var methods = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodOptions: true,
	http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true, http.MethodDelete: true,
}

// confine returns the decoded path of a request that stays inside the CRM's endpoint and that every server on the way reads in the same way. What a server may
// read as another path, or as another host, is refused: policies and prices go by the path.
func confine(r *http.Request) (string, error) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case !methods[r.Method]:
		return "", badTarget("the method is not passed on")
	case !plainHost(r.Host):
		return "", badTarget("the Host header is not a host name and a port")
	case !strings.HasPrefix(path, "/"):
		return "", badTarget("the target must be a path: use the intake as the base URL, not as a proxy")
	}
	if problem := unreadable(path); problem != "" {
		return "", badTarget("the path has " + problem)
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return "", badTarget("the path has a broken percent-encoding")
	}
	if problem := escaping(decoded); problem != "" {
		return "", badTarget("the path has " + problem)
	}
	if strings.ContainsFunc(r.RequestURI, func(c rune) bool { return c == '#' || c <= ' ' || c == 0x7f }) {
		return "", badTarget("the target has a fragment, a space or a control character")
	}
	return decoded, nil
}

func badTarget(detail string) error {
	return &call.Refusal{Code: contract.ReasonBadTarget, Detail: detail}
}

// unreadable names what servers decode in different ways in a path as it was sent; empty if there is nothing.
func unreadable(path string) string {
	for i := 0; i < len(path); i++ {
		switch b := path[i]; {
		case b <= ' ' || b >= 0x7f:
			return "characters that must be percent-encoded"
		case b == '\\':
			return "a backslash"
		case b == '%' && !harmlessEscape(path[i:]):
			return "a percent-encoded dot, slash, backslash, percent sign or control character"
		}
	}
	return ""
}

// escaping names what leads out of a decoded path, or is collapsed by some servers; empty if there is nothing. One slash at the end is fine.
func escaping(decoded string) string {
	segments := strings.Split(decoded[1:], "/")
	for i, segment := range segments {
		name, _, _ := strings.Cut(segment, ";") // some servers cut parameters off before they look at dots
		switch {
		case name == "." || name == "..":
			return "a segment of dots"
		case name == "" && i < len(segments)-1:
			return "an empty segment: is there a slash too many at the end of the base URL?"
		}
	}
	return ""
}

// harmlessEscape reports whether a percent-encoding stands for a character that has no meaning of its own in a path. A broken one is left to the decoder.
func harmlessEscape(text string) bool {
	if len(text) < len("%00") {
		return true
	}
	decoded, err := url.PathUnescape(text[:len("%00")])
	if err != nil {
		return true
	}
	return decoded[0] > ' ' && decoded[0] != 0x7f && !strings.Contains(`./\%`, decoded) || decoded == " "
}

// plainHost reports whether a Host header is a host and, if at all, a port. HTTP/1.0 clients may send none.
func plainHost(host string) bool {
	return strings.IndexFunc(host, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune(".-_:[]", r):
			return false
		}
		return true
	}) < 0
}
