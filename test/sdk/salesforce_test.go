// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// salesforce answers the requests of salesforce.js and no others: it shows how a package gets its requests there and its pages back, not how Salesforce works.
func salesforce() crm {
	mux := http.NewServeMux()
	records := func(w http.ResponseWriter, version string, number int) {
		next := ""
		if number*perPage < contacts {
			next = fmt.Sprintf(`,"nextRecordsUrl":"/services/data/%s/query/01g-%d"`, version, number+1)
		}
		answer(w, http.StatusOK, `{"totalSize":%d,"done":%t,"records":%s%s}`, contacts, next == "",
			page(number, `{"attributes":{"type":"Contact"},"Id":"003-%d"}`), next)
	}
	mux.HandleFunc("GET /services/data/{version}/query", func(w http.ResponseWriter, r *http.Request) { records(w, r.PathValue("version"), 1) })
	mux.HandleFunc("GET /services/data/{version}/query/{locator}", func(w http.ResponseWriter, r *http.Request) {
		number, _ := strconv.Atoi(r.PathValue("locator")[len("01g-"):]) // what is no number is a page before the first, which has no records
		records(w, r.PathValue("version"), number)
	})
	mux.HandleFunc("GET /services/data/{version}/search", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, `{"searchRecords":[{"attributes":{"type":"Contact"},"Id":"003-250","Name":"User 250"}]}`)
	})
	create := func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusCreated, `{"id":"500-1","success":true,"errors":[]}`)
	}
	mux.HandleFunc("POST /services/data/{version}/sobjects/Case", create)
	mux.HandleFunc("POST /services/data/{version}/sobjects/Lead", create)
	return crm{
		provider: "Generic", Handler: mux, credentials: contract.Credentials{Bearer: &contract.BearerKeys{Token: "secret"}},
		scarce: contract.Match{Methods: []string{http.MethodPost}, Path: "/services/data/*/sobjects/Lead"},
		want:   seen{Found: "User 250", Created: "500-1", Exported: contacts},
	}
}

// salesforceWithLogin is the same with Salesforce's dialect, which has a token endpoint at the dispatcher.
func salesforceWithLogin() crm {
	c := salesforce()
	c.provider = "Salesforce"
	return c
}
