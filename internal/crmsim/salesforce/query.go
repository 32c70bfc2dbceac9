// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

// The sizes of a batch of a query's records, of which callers may ask for a smaller one.
const (
	queryBatch    = 2000
	minQueryBatch = 200
)

// soql is as much of the query language as is understood: SELECT ... FROM type [WHERE field = 'text' [AND ...]] [LIMIT n].
var (
	soql      = regexp.MustCompile(`(?is)^\s*SELECT\s+.+?\s+FROM\s+(\w+)(?:\s+WHERE\s+(.+?))?(?:\s+ORDER\s+BY\s+.+?)?(?:\s+LIMIT\s+(\d+))?\s*$`)
	condition = regexp.MustCompile(`(?is)^\s*(\w+)\s*=\s*'((?:[^'\\]|\\.)*)'\s*$`)
	and       = regexp.MustCompile(`(?i)\s+AND\s+`)
)

func (s *Salesforce) query(c *crm.Call) crm.Reply { return s.batchOf(c, c.Query("q"), 0) }

// queryMore goes on where a locator says: it holds the query, which is run again, and a place. Records are only added at the end.
func (s *Salesforce) queryMore(c *crm.Call) crm.Reply {
	encoded, place, _ := strings.Cut(c.Vars["locator"], "~")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	from, numberErr := strconv.Atoi(place)
	if errors.Join(err, numberErr) != nil {
		return failure(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator")
	}
	return s.batchOf(c, string(text), from)
}

func (s *Salesforce) batchOf(c *crm.Call, text string, from int) crm.Reply {
	found, refusal := s.find(c, text)
	if refusal != nil {
		return *refusal
	}
	size := queryBatch
	if _, asked, ok := strings.Cut(c.Request.Header.Get("Sforce-Query-Options"), "batchSize="); ok {
		if n, err := strconv.Atoi(asked); err == nil {
			size = min(max(n, minQueryBatch), queryBatch)
		}
	}
	page := []records.Fields{}
	for _, r := range records.Cut(found, from, size) {
		page = append(page, shown(c.Vars["version"], r))
	}
	body := map[string]any{"totalSize": len(found), "done": from+size >= len(found), "records": page}
	if from+size < len(found) {
		locator := base64.RawURLEncoding.EncodeToString([]byte(text))
		body["nextRecordsUrl"] = fmt.Sprintf("/services/data/%s/query/%s~%d", c.Vars["version"], locator, from+size)
	}
	return crm.JSON(http.StatusOK, body)
}

// find runs a query; refusal is what is wrong with it.
func (s *Salesforce) find(c *crm.Call, text string) (found []*records.Record, refusal *crm.Reply) {
	parts := soql.FindStringSubmatch(text)
	if parts == nil {
		return nil, new(failure(http.StatusBadRequest, "MALFORMED_QUERY", "unexpected token"))
	}
	wants := map[string]string{}
	for _, term := range and.Split(parts[2], -1) {
		c := condition.FindStringSubmatch(term)
		if c == nil && term != "" {
			return nil, new(failure(http.StatusBadRequest, "MALFORMED_QUERY", "the simulated CRM does not understand "+term))
		}
		if c != nil {
			wants[c[1]] = strings.ReplaceAll(c[2], `\'`, `'`)
		}
	}
	matches := func(r *records.Record) bool {
		for field, want := range wants {
			if !strings.EqualFold(r.Text(field), want) && (field != "Id" || r.ID != want) {
				return false
			}
		}
		return true
	}
	if parts[1] == eventLogFile {
		found = slices.DeleteFunc(s.log.files(c.Now), func(r *records.Record) bool { return !matches(r) })
	} else {
		found = s.store.Find(c.Now, parts[1], matches)
	}
	if most, err := strconv.Atoi(parts[3]); err == nil {
		found = records.Cut(found, 0, most)
	}
	return found, nil
}

// search looks for words in any field, by the index.
func (s *Salesforce) search(c *crm.Call) crm.Reply {
	word := c.Query("q")
	if len(word) < 2 {
		return failure(http.StatusBadRequest, "MALFORMED_SEARCH", "search term must be longer than one character")
	}
	found := s.store.Search(c.Now, c.Query("sobject"), func(r *records.Record) bool { return r.Contains(word) })
	results := []records.Fields{}
	for _, r := range records.Cut(found, 0, minQueryBatch) {
		results = append(results, shown(c.Vars["version"], r))
	}
	return crm.JSON(http.StatusOK, map[string]any{"searchRecords": results})
}
