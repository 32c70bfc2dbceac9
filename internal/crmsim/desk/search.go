// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// User is a contact of the desk.
type User struct {
	URL   string `json:"url"`
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
	Role  string `json:"role"`
	// ExternalID is the caller's own.
	ExternalID *string `json:"external_id"`
}

// firstUserID keeps the ids of users and of tickets apart.
const firstUserID = 900_001

func makeUsers(n int) []User {
	users := make([]User, n)
	for i := range users {
		users[i] = User{
			ID:    firstUserID + int64(i),
			Name:  fmt.Sprintf("User %d", i+1),
			Email: fmt.Sprintf("user%d@example.test", i+1),
			Phone: fmt.Sprintf("+49301%06d", i+1),
			Role:  "end-user",
		}
	}
	return users
}

// SearchUsers returns a page of the users whose name, e-mail address or telephone number contains every word of the query, and how
// many there are in all.
func (d *Desk) SearchUsers(query string, page, perPage int) ([]User, int) {
	q := parseQuery(query)
	var found []User
	for _, u := range d.users {
		if q.matches(map[string]string{"name": u.Name, "email": u.Email, "phone": u.Phone}) {
			found = append(found, u)
		}
	}
	return cut(found, page, perPage), len(found)
}

// SearchTickets returns a page of the tickets that a query finds, and how many there are in all. Words are looked for in subject and
// description, `external_id:x`, `status:x` and `tags:x` in that field alone. Tickets that the index does not have yet are not found.
func (d *Desk) SearchTickets(now time.Time, query string, page, perPage int) ([]Ticket, int) {
	d.settle(now)
	q := parseQuery(query)
	var found []Ticket
	for _, t := range d.tickets {
		fields := map[string]string{"subject": t.Subject, "description": t.Description, "status": t.Status}
		if t.ExternalID != nil {
			fields["external_id"] = *t.ExternalID
		}
		if len(t.Tags) > 0 {
			fields["tags"] = strings.Join(t.Tags, "\n")
		}
		if !now.Before(t.indexed) && q.matches(fields) {
			found = append(found, *t)
		}
	}
	return cut(found, page, perPage), len(found)
}

// Kind is the value of the query's `type:` term, empty without one.
func Kind(query string) string { return parseQuery(query).exact["type"] }

// query is a search: words that any field may contain, and fields with their value.
type query struct {
	words []string
	exact map[string]string
}

func parseQuery(text string) query {
	q := query{exact: map[string]string{}}
	for term := range strings.FieldsSeq(strings.ToLower(text)) {
		if field, value, ok := strings.Cut(term, ":"); ok {
			q.exact[field] = strings.Trim(value, `"`)
			continue
		}
		q.words = append(q.words, strings.Trim(term, `"*`))
	}
	return q
}

func (q query) matches(fields map[string]string) bool {
	for field, value := range q.exact {
		oneOf := func(part string) bool { return strings.EqualFold(part, value) }
		if field != "type" && !slices.ContainsFunc(strings.Split(fields[field], "\n"), oneOf) {
			return false
		}
	}
	var all strings.Builder
	for _, value := range fields {
		all.WriteString(strings.ToLower(value) + "\n")
	}
	for _, word := range q.words {
		if !strings.Contains(all.String(), word) {
			return false
		}
	}
	return true
}
