// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestListsAreReadThroughTheirCursors(t *testing.T) {
	type page struct {
		Tickets, Results []struct{ URL string }
		Meta             struct {
			HasMore bool   `json:"has_more"`
			After   string `json:"after_cursor"`
		}
		Links       struct{ Next, Prev string }
		AfterURL    string `json:"after_url"`
		EndOfStream bool   `json:"end_of_stream"`
		Count       *int
	}
	byLinks := func(p page) (string, bool) { return p.Links.Next, !p.Meta.HasMore }
	byStream := func(p page) (string, bool) { return p.AfterURL, p.EndOfStream }
	tests := map[string]struct {
		start       string
		next        func(page) (string, bool)
		pages, want int
	}{
		"tickets":             {"/api/v2/tickets.json?page[size]=2", byLinks, 3, 5},
		"an exact multiple":   {"/api/v2/tickets?page[size]=5", byLinks, 1, 5},
		"a search of tickets": {"/api/v2/search/export?query=lasted&filter[type]=ticket&page[size]=4", byLinks, 2, 5},
		"a search of users":   {"/api/v2/search/export.json?query=user&filter[type]=user&page[size]=3", byLinks, 3, 7},
		"an export":           {"/api/v2/incremental/tickets/cursor.json?start_time=0&per_page=2", byStream, 3, 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{Users: 7}, func(w world) {
				for i := range 5 {
					w.create(fmt.Sprintf("x-%d", i))
				}
				path, _, _ := strings.Cut(test.start, "?")
				seen, pages, next := map[string]bool{}, 0, test.start
				for last := false; !last; pages++ {
					got := parse[page](w, w.do(http.MethodGet, next, ""))
					for _, record := range append(got.Tickets, got.Results...) {
						seen[record.URL] = true
					}
					if got.Count != nil || (got.Links.Prev != "") != (pages > 0 && got.AfterURL == "") {
						w.Errorf("page %d: %+v", pages+1, got)
					}
					if next, last = test.next(got); !last && !strings.HasPrefix(next, "http://acme.zendesk.test"+path+"?") {
						w.Fatalf("the next page is %s", next)
					}
				}
				if pages != test.pages || len(seen) != test.want {
					w.Errorf("%d records on %d pages, want %d on %d", len(seen), pages, test.want, test.pages)
				}
			})
		})
	}
}
