// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

const (
	crmUser   = "agent@acme.test"
	crmSecret = "the-crms-own-secret-which-no-client-has"
)

// crm is a CRM and what the plan says of it.
type crm struct {
	provider    string
	credentials contract.Credentials
	http.Handler
	// scarce is a limit of one call, for a kind of call that the script makes twice.
	scarce contract.Match
	// want is what a script sees when all is well.
	want seen
	// sim is the judge, nil where there is none.
	sim *crmsim.Server
}

// zendesk is crmsim with more users and tickets than two pages hold.
func zendesk() crm {
	sim := crmsim.New(crmsim.Config{Tokens: []string{crmSecret}, Users: 250})
	for range 250 {
		r := httptest.NewRequest(http.MethodPost, "/api/v2/tickets.json", strings.NewReader(`{"ticket":{"comment":{"body":"from before"}}}`))
		r.SetBasicAuth(crmUser+"/token", crmSecret)
		w := httptest.NewRecorder()
		if sim.ServeHTTP(w, r); w.Code != http.StatusCreated {
			panic(w.Body.String())
		}
	}
	return crm{
		provider: "Zendesk", Handler: sim, sim: sim, credentials: contract.Credentials{Basic: &contract.BasicKeys{Username: "username", Password: "secret"}},
		scarce: contract.Match{Methods: []string{http.MethodGet}, Path: "/api/v2/tickets/*"},
		want:   seen{Found: "User 250", Created: "251", Exported: 251},
	}
}

// door is where requests reach the CRM. Links in answers lead to it, so what a client follows by itself arrives here as well; but only the dispatcher has the CRM's
// credential.
type door struct {
	crm
	mu sync.Mutex
	// signed are the requests with the CRM's own credential, strangers all others.
	signed, strangers []string
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	isSigned := user == crmUser+"/token" && password == crmSecret || r.Header.Get("Authorization") == "Bearer "+crmSecret
	d.mu.Lock()
	request := r.Method + " " + r.URL.String()
	if isSigned {
		d.signed = append(d.signed, request)
	} else {
		d.strangers = append(d.strangers, request)
	}
	d.mu.Unlock()
	d.Handler.ServeHTTP(w, r)
}

func (d *door) arrived() (signed, strangers []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.signed), slices.Clone(d.strangers)
}

// open serves a door of the CRM over TLS until the test ends.
func open(t *testing.T, c crm) (*door, *httptest.Server) {
	t.Helper()
	d := &door{crm: c}
	server := httptest.NewTLSServer(d)
	t.Cleanup(server.Close)
	return d, server
}

// The lists of the made-up CRMs.
const (
	perPage  = 100
	contacts = 250
)

// page makes the records of a page in JSON, each from its number.
func page(number int, record string) string {
	var made []string
	for id := (number-1)*perPage + 1; id <= min(number*perPage, contacts); id++ {
		made = append(made, fmt.Sprintf(record, id))
	}
	return "[" + strings.Join(made, ",") + "]"
}

func answer(w http.ResponseWriter, status int, format string, values ...any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, format, values...) // the client may have gone
}
