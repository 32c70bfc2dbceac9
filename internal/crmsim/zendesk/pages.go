// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
)

// maxPerPage is the largest page, and the default.
const maxPerPage = 100

// page is what part of a list the caller asks for, by number or by cursor.
type page struct {
	number, size int
	byCursor     bool
}

// pageOf reads page and per_page, or page[size] and page[after], which choose cursors; what is not sensible counts as absent.
func pageOf(c *crm.Call) page {
	query := c.Request.URL.Query()
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
func (z *Zendesk) pageReply(c *crm.Call, p page, name string, records any, count int) crm.Reply {
	var next, previous *string
	hasMore := p.number*p.size < count
	if hasMore {
		next = new(z.pageLink(c, p, p.number+1))
	}
	if p.number > 1 {
		previous = new(z.pageLink(c, p, p.number-1))
	}
	if !p.byCursor {
		return crm.JSON(http.StatusOK, map[string]any{name: records, "count": count, "next_page": next, "previous_page": previous})
	}
	return crm.JSON(http.StatusOK, map[string]any{
		name:    records,
		"meta":  map[string]any{"has_more": hasMore, "after_cursor": cursor(p.number + 1)},
		"links": map[string]*string{"next": next, "prev": previous},
	})
}

// pageLink is the caller's own URL with another page.
func (z *Zendesk) pageLink(c *crm.Call, p page, number int) string {
	query := c.Request.URL.Query()
	if p.byCursor {
		query.Set("page[after]", cursor(number))
	} else {
		query.Set("page", strconv.Itoa(number))
	}
	return c.Link(c.Request.URL.Path + "?" + query.Encode())
}
