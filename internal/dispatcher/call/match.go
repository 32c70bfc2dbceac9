// SPDX-License-Identifier: Apache-2.0

package call

import (
	"net/url"
	"path"
	"strings"
)

// PathMatches holds a decoded path against a pattern, in which "*" stands for one segment and "/**" at the end for any number of them. A pattern that cannot be
// read matches nothing.
func PathMatches(pattern, decoded string) bool {
	pattern, err := url.PathUnescape(pattern)
	if err != nil {
		return false
	}
	prefix, open := strings.CutSuffix(pattern, "/**")
	if !open {
		matches, err := path.Match(pattern, decoded)
		return err == nil && matches
	}
	segments := strings.Split(decoded, "/")
	depth := strings.Count(prefix, "/") + 1
	if len(segments) < depth {
		return false
	}
	matches, err := path.Match(prefix, strings.Join(segments[:depth], "/"))
	return err == nil && matches
}
