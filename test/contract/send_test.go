// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// answer is what a CRM answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// loopback neither follows redirects nor keeps cookies, like the dispatcher.
var loopback = &http.Client{
	Timeout:       time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

var (
	placeholder = regexp.MustCompile(`\{\w+\}`)
	counter     atomic.Int64
	// started makes what {n} stands for differ from that of earlier runs against a sandbox.
	started = time.Now().Unix()
)

// filled returns the call without placeholders, and whether everything that they stand for is known.
func (c *target) filled(what call) (call, bool) {
	unique := fmt.Sprintf("%dx%d", started, counter.Add(1))
	known := true
	fill := func(text string) string {
		return placeholder.ReplaceAllStringFunc(text, func(name string) string {
			name = strings.Trim(name, "{}")
			if name == "n" {
				return unique
			}
			if value, found := c.vars[name]; found {
				return value
			}
			known = false
			return "1" // enough to say what kind of call it is
		})
	}
	what.path, what.body = fill(what.path), fill(what.body)
	header := make([]string, len(what.header))
	for i, text := range what.header {
		header[i] = fill(text)
	}
	what.header = header
	return what, known
}

// patience is how often a call is made before a sandbox that refuses it.
const patience = 5

// send makes a call without placeholders. A path may be a whole URL. A sandbox that refuses it is left alone for as long as the adapter says, then asked again.
func (c *target) send(what call) answer {
	c.Helper()
	got := c.sendOnce(what)
	for try := 1; c.sim == nil && try < patience; try++ {
		wait, is := refused(c.provider, what, got, time.Now())
		if !is {
			break
		}
		time.Sleep(max(wait, time.Second))
		got = c.sendOnce(what)
	}
	return got
}

func (c *target) sendOnce(what call) answer {
	c.Helper()
	url := what.path
	if strings.HasPrefix(url, "/") {
		url = c.url + url
	}
	r, err := http.NewRequestWithContext(c.Context(), what.method, url, strings.NewReader(what.body))
	if err != nil {
		c.Fatal(err)
	}
	if what.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(what.header); i += 2 {
		r.Header.Set(what.header[i], what.header[i+1])
	}
	if r.Header.Get("Authorization") == "" {
		c.suite.sign(r, c.secret)
	}
	response, err := c.client.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, body}
}

// prepareAll makes the records that calls are about.
func (c *target) prepareAll() {
	c.Helper()
	if !writes() {
		return
	}
	for _, p := range c.suite.prepare {
		what, known := c.filled(p.call)
		got := c.send(what)
		found := members(got.body, p.at)
		if !known || got.status >= http.StatusBadRequest || len(found) != 1 {
			c.Fatalf("%s was not prepared: %d %s", p.name, got.status, got.body)
		}
		c.vars[p.name] = fmt.Sprint(found[0])
	}
}

// members returns the values at a path of a JSON body, in which * is every element of a list. Numbers stay as they are written.
func members(body []byte, path string) []any {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var root any
	if decoder.Decode(&root) != nil {
		return nil
	}
	found := []any{root}
	for name := range strings.SplitSeq(path, "/") {
		if path == "" {
			break
		}
		var next []any
		for _, value := range found {
			switch value := value.(type) {
			case map[string]any:
				if member, has := value[name]; has && member != nil {
					next = append(next, member)
				}
			case []any:
				if name == "*" {
					next = append(next, value...)
				}
			}
		}
		found = next
	}
	return found
}

// userOf parts a secret that names its user, before a colon. Others have a user that only a simulated CRM takes.
func userOf(secret string) (user, rest string) {
	user, rest, found := strings.Cut(secret, ":")
	if !found {
		return "agent@example.test", secret
	}
	return user, rest
}
