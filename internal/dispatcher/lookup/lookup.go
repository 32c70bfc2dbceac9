// SPDX-License-Identifier: Apache-2.0

// Package lookup keeps answers of calls that only read, in memory and for a while, so that equal calls need none of their own.
package lookup

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// MaxBody is the longest body that is kept, in bytes.
	MaxBody = 256 << 10
	// maxBytes is how much is kept in all; what was not used for longest makes room.
	maxBytes = 8 << 20
	// perAnswer is what an answer takes besides its body.
	perAnswer = 2 << 10
)

// Key tells calls apart: those of one key get the same answer.
type Key [32]byte

// Answer is an answer that is kept. It must not be changed.
type Answer struct {
	Header http.Header
	Body   []byte
	// At is when the CRM said so, for the last time.
	At time.Time
}

// ETag is the validator by which the CRM can say that the answer still holds; empty if it gave none.
func (a Answer) ETag() string { return a.Header.Get("ETag") }

// Cache keeps answers, up to 8 MiB of them. Its methods may be called by many goroutines.
type Cache struct {
	mu    sync.Mutex
	kept  *simplelru.LRU[Key, Answer]
	bytes int
}

// New returns an empty cache.
func New() *Cache {
	c := &Cache{}
	kept, err := simplelru.NewLRU(maxBytes/perAnswer, func(_ Key, a Answer) { c.bytes -= size(a) })
	if err != nil { // the size is above 0
		panic(err)
	}
	c.kept = kept
	return c
}

// Get returns what is kept under a key, however old it is.
func (c *Cache) Get(key Key) (Answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.Get(key)
}

// Put keeps an answer in place of any under the key.
func (c *Cache) Put(key Key, a Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Remove(key)
	for c.bytes += size(a); c.bytes > maxBytes; {
		if _, _, ok := c.kept.RemoveOldest(); !ok {
			break
		}
	}
	c.kept.Add(key, a)
}

func size(a Answer) int { return perAnswer + len(a.Body) }

// Keepable says whether an answer may be kept: 200, and the CRM does not forbid it. That it says how long an answer is fresh counts for nothing: the manifest does.
func Keepable(status int, header http.Header) bool {
	return status == http.StatusOK && header.Get("Vary") != "*" && !hasDirective(header, "no-store")
}

// Wanted says whether a request may be answered with what is kept, and its answer kept: it has no condition or range of its own and does not insist on the CRM's
// word.
func Wanted(header http.Header) bool {
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range", "Pragma"} {
		if header.Get(name) != "" {
			return false
		}
	}
	return !hasDirective(header, "no-cache") && !hasDirective(header, "no-store") && !hasDirective(header, "max-age=0")
}

func hasDirective(header http.Header, directive string) bool {
	for _, value := range header.Values("Cache-Control") {
		for one := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(one), directive) {
				return true
			}
		}
	}
	return false
}
