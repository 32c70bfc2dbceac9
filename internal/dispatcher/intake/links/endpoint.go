// SPDX-License-Identifier: Apache-2.0

// Package links rewrites links in answers that lead to the CRM, so that clients who follow them come back to the intake. Everything else stays byte for byte.
package links

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// Rewriter knows where links lead to and where they should. It is never changed and safe for concurrent use.
type Rewriter struct {
	authority string // of the CRM's endpoint, canonical
	intake    string // base URL without a trailing slash
}

// NewRewriter returns a Rewriter from the CRM's endpoint to the intake's base URL.
func NewRewriter(endpoint, intake string) (Rewriter, error) {
	from, err := url.Parse(endpoint)
	if err != nil || from.Host == "" {
		return Rewriter{}, fmt.Errorf("endpoint %q is not an absolute URL", endpoint)
	}
	to, err := url.Parse(intake)
	if err != nil || to.Host == "" {
		return Rewriter{}, fmt.Errorf("intake URL %q is not an absolute URL", intake)
	}
	return Rewriter{authority: canonical(strings.ToLower(from.Scheme), from.Host), intake: strings.TrimSuffix(intake, "/")}, nil
}

// URL returns the link with the intake in place of the CRM's endpoint, or the link itself and false if it leads elsewhere. Scheme and case of the host do not
// matter: an http link to an https endpoint goes round the dispatcher all the same.
func (r Rewriter) URL(link string) (string, bool) {
	scheme, rest, found := strings.Cut(link, "//")
	if !found {
		return link, false
	}
	scheme = strings.ToLower(scheme)
	if scheme != "" && scheme != "http:" && scheme != "https:" {
		return link, false
	}
	end := strings.IndexAny(rest, `/?#\`)
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	if canonical(strings.TrimSuffix(scheme, ":"), authority) != r.authority {
		return link, false
	}
	return r.intake + rest[end:], true
}

// canonical is host and port in lower case, without a root dot. The default port of the link's own scheme is left out, so that http and https links to a host
// are the same.
func canonical(scheme, authority string) string {
	host, port, err := net.SplitHostPort(authority)
	if err != nil {
		host, port = strings.Trim(authority, "[]"), ""
	}
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		port = ""
	}
	return strings.TrimSuffix(strings.ToLower(host), ".") + ":" + port
}

// target is a link in a Link header (RFC 8288).
var target = regexp.MustCompile(`<[^>]*>`)

// LinkHeader rewrites the targets in a value of the Link header.
func (r Rewriter) LinkHeader(value string) string {
	return target.ReplaceAllStringFunc(value, func(match string) string {
		link, _ := r.URL(strings.Trim(match, "<>"))
		return "<" + link + ">"
	})
}
