// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// hubspot answers the requests of hubspot.js and no others: it shows how a package gets its requests there and its pages back, not how HubSpot works.
func hubspot() crm {
	mux := http.NewServeMux()
	const contact = `{"id":"%[1]d","properties":{"email":"user%[1]d@example.test"},"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z","archived":false}`
	mux.HandleFunc("POST /crm/v3/objects/contacts/search", func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(asked), "user250@example.test") {
			answer(w, http.StatusBadRequest, `{"status":"error","message":"another search was expected"}`)
			return
		}
		answer(w, http.StatusOK, `{"total":1,"results":[%s]}`, fmt.Sprintf(contact, contacts))
	})
	mux.HandleFunc("GET /crm/v3/objects/contacts", func(w http.ResponseWriter, r *http.Request) {
		number := 1
		if after := r.URL.Query().Get("after"); after != "" {
			number, _ = strconv.Atoi(after) // what is no number is a page before the first, which has no records
		}
		next := ""
		if number*perPage < contacts {
			next = fmt.Sprintf(`,"paging":{"next":{"after":"%d","link":"https://%s%s?limit=100&after=%[1]d"}}`, number+1, r.Host, r.URL.Path)
		}
		answer(w, http.StatusOK, `{"results":%s%s}`, page(number, contact), next)
	})
	const ticket = `{"id":"1","properties":{"subject":"Call"},"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z","archived":false}`
	mux.HandleFunc("POST /crm/v3/objects/tickets", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusCreated, ticket) })
	mux.HandleFunc("GET /crm/v3/objects/tickets/1", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, ticket) })
	return crm{
		provider: "Generic", Handler: mux, credentials: contract.Credentials{Bearer: &contract.BearerKeys{Token: "secret"}},
		scarce: contract.Match{Methods: []string{http.MethodGet}, Path: "/crm/v3/objects/tickets/*"},
		want:   seen{Found: "user250@example.test", Created: "1", Exported: contacts},
	}
}
