// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"encoding/json"
	"net/http"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// Control returns the handler that steers the CRM and reads the judge's report. Calls to it are not recorded, and nobody is asked for
// a credential: serve it on an address of its own.
//
//	GET  /_sim/report               a Report
//	GET  /_sim/tickets              ticket ids by external id
//	POST /_sim/limits ["minute=400/60s:rolling", ...]   replaces the limits, see limit.Syntax
//	POST /_sim/outage ["unavailable@5s+30s", ...]       replaces the outages, see OutageSyntax; [] ends them
//	POST /_sim/background ["120/1m", ...]               replaces the calls of others, see BackgroundSyntax; [] ends them
//	POST /_sim/revoke               ends all access tokens
//	POST /_sim/reset                forgets arrivals, tickets, counts, outages and the calls of others
//	GET  /_sim/healthz              200
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/report", func(w http.ResponseWriter, _ *http.Request) {
		reply{Reply: crm.JSON(http.StatusOK, s.Report())}.send(w)
	})
	mux.HandleFunc("GET /_sim/tickets", func(w http.ResponseWriter, _ *http.Request) {
		reply{Reply: crm.JSON(http.StatusOK, s.TicketsByExternalID())}.send(w)
	})
	mux.HandleFunc("POST /_sim/limits", setter(s.SetLimits))
	mux.HandleFunc("POST /_sim/outage", setter(func(outages []Outage) error { return s.SetOutages(outages...) }))
	mux.HandleFunc("POST /_sim/background", setter(s.SetBackground))
	mux.HandleFunc("POST /_sim/revoke", func(w http.ResponseWriter, _ *http.Request) {
		s.RevokeTokens()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_sim/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_sim/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}

// setter serves a POST whose JSON body replaces a setting.
func setter[T limit.Limit | Outage | Background](set func([]T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var values []T
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&values); err != nil {
			http.Error(w, "the body must be a JSON list of strings: "+err.Error(), http.StatusBadRequest)
			return
		}
		if err := set(values); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
