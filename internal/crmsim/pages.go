// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// maxPerPage is the largest page, and the default.
const maxPerPage = 100

// page is what part of a list the caller asks for, by number or by cursor.
type page struct {
	number, size int
	byCursor     bool
}

// pageOf reads page and per_page, or page[size] and page[after], which choose cursors; what is not sensible counts as absent.
func pageOf(c *call) page {
	query := c.request.URL.Query()
	p := page{number: 1, size: maxPerPage, byCursor: query.Has("page[size]")}
	number, size := query.Get("page"), query.Get("per_page")
	if p.byCursor {
		number, size = fromCursor(query.Get("page[after]")), query.Get("page[size]")
	}
	if n, err := strconv.Atoi(number); err == nil && n >= 1 && n <= maxPageNumber {
		p.number = n
	}
	if n, err := strconv.Atoi(size); err == nil && n >= 1 && n <= maxPerPage {
		p.size = n
	}
	return p
}

// cursor is an opaque name for a page. Lists only grow at their end and the size comes with each request, so it need not name a record.
func cursor(number int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + strconv.Itoa(number)))
}

const cursorPrefix = "page:"

func fromCursor(text string) string {
	decoded, _ := base64.RawURLEncoding.DecodeString(text) // what is no cursor names no page
	number, _ := strings.CutPrefix(string(decoded), cursorPrefix)
	return number
}

// maxPageNumber keeps page times size far from overflowing.
const maxPageNumber = 1 << 30

// pageReply answers with one page of count records under the given name, and absolute links to its neighbours.
func (s *Server) pageReply(c *call, p page, name string, records any, count int) reply {
	var next, previous *string
	hasMore := p.number*p.size < count
	if hasMore {
		next = new(s.pageLink(c, p, p.number+1))
	}
	if p.number > 1 {
		previous = new(s.pageLink(c, p, p.number-1))
	}
	if !p.byCursor {
		return ok(http.StatusOK, map[string]any{name: records, "count": count, "next_page": next, "previous_page": previous})
	}
	return ok(http.StatusOK, map[string]any{
		name:    records,
		"meta":  map[string]any{"has_more": hasMore, "after_cursor": cursor(p.number + 1)},
		"links": map[string]*string{"next": next, "prev": previous},
	})
}

// pageLink is the caller's own URL with another page.
func (s *Server) pageLink(c *call, p page, number int) string {
	query := c.request.URL.Query()
	if p.byCursor {
		query.Set("page[after]", cursor(number))
	} else {
		query.Set("page", strconv.Itoa(number))
	}
	return s.link(c, c.request.URL.Path+"?"+query.Encode())
}

// link makes a path absolute, with the name that the CRM believes to have.
func (s *Server) link(c *call, path string) string {
	if s.config.PublicURL != "" {
		return strings.TrimSuffix(s.config.PublicURL, "/") + path
	}
	scheme := "http"
	if c.request.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.request.Host + path
}
