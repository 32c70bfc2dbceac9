// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestLinksLeadBack: each link to the CRM's host is one that the adapter names, so that it is rewritten, or one that people store. Those that clients follow lead on.
func TestLinksLeadBack(t *testing.T) {
	each(t, func(c *target) {
		c.prepareAll()
		var known [][]string
		for _, l := range c.provider.Links() {
			known = append(known, []string(l))
		}
		for _, p := range c.suite.pages {
			what, filled := c.filled(p.call)
			if !filled || !c.isSafe(what) && !writes() {
				continue
			}
			got := c.send(what)
			if got.status >= http.StatusMultipleChoices {
				c.Errorf("%s was answered %d: %s", what.path, got.status, got.body)
				continue
			}
			for path, link := range c.linksIn(got.body) {
				isKnown := slices.ContainsFunc(known, func(l []string) bool { return slices.Equal(l, strings.Split(path, "/")) })
				if name := path[strings.LastIndex(path, "/")+1:]; !isKnown && !slices.Contains(c.suite.stored, name) {
					c.Errorf("%s of %s leads round the dispatcher: %s", path, what.path, link)
				}
			}
			c.follow(what, got, p.next)
		}
	})
}

// follow goes where an answer leads on.
func (c *target) follow(what call, got answer, next string) {
	c.Helper()
	var link string
	if next == "Link" {
		link, _, _ = strings.Cut(strings.TrimPrefix(got.header.Get("Link"), "<"), ">")
	} else if found := members(got.body, next); len(found) > 0 {
		link, _ = found[0].(string)
	}
	if link == "" && !writes() {
		c.Logf("%s has nothing to lead on to", what.path)
		return
	}
	if link == "" {
		c.Errorf("%s does not lead on by %s: %.300s", what.path, next, got.body)
		return
	}
	if then := c.send(call{method: http.MethodGet, path: link}); then.status >= http.StatusMultipleChoices {
		c.Errorf("%s was answered %d: %s", link, then.status, then.body)
	}
}

// linksIn returns the members of a JSON body that lead to the CRM's host, by their paths.
func (c *target) linksIn(body []byte) map[string]string {
	links := map[string]string{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, inner := range value {
				walk(path+"/"+name, inner)
			}
		case []any:
			for _, inner := range value {
				walk(path+"/*", inner)
			}
		case string:
			if strings.HasPrefix(value, c.url) {
				links[strings.TrimPrefix(path, "/")] = value
			}
		}
	}
	var root any
	if json.Unmarshal(body, &root) == nil {
		walk("", root)
	}
	return links
}
