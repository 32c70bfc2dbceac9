// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"net/http"
	"strconv"
	"strings"
)

// maxPerPage is the largest page, and the default.
const maxPerPage = 100

// page is what part of a list the caller asks for.
type page struct{ number, size int }

// pageOf reads page and per_page; what is not a sensible number counts as absent.
func pageOf(c *call) page {
	query := c.request.URL.Query()
	p := page{number: 1, size: maxPerPage}
	if n, err := strconv.Atoi(query.Get("page")); err == nil && n >= 1 && n <= maxPageNumber {
		p.number = n
	}
	if n, err := strconv.Atoi(query.Get("per_page")); err == nil && n >= 1 && n <= maxPerPage {
		p.size = n
	}
	return p
}

// maxPageNumber keeps page times size far from overflowing.
const maxPageNumber = 1 << 30

// pageReply answers with one page of count records under the given name, and absolute links to its neighbours.
func (s *Server) pageReply(c *call, p page, name string, records any, count int) reply {
	var next, previous *string
	if p.number*p.size < count {
		next = new(s.pageLink(c, p.number+1))
	}
	if p.number > 1 {
		previous = new(s.pageLink(c, p.number-1))
	}
	return ok(http.StatusOK, map[string]any{name: records, "count": count, "next_page": next, "previous_page": previous})
}

// pageLink is the caller's own URL with another page.
func (s *Server) pageLink(c *call, number int) string {
	query := c.request.URL.Query()
	query.Set("page", strconv.Itoa(number))
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
