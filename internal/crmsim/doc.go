// SPDX-License-Identifier: Apache-2.0

// Package crmsim is a simulated CRM that judges its callers: the API of one of ten products as far as the project needs it, with limits,
// latency, clock, outages and other callers to choose, and a record of every arrival from which a report finds each window that held too
// many calls.
//
// It shares no code with the quota ledger or the dispatcher, so that a mistake there cannot excuse itself here. Where a product's
// documentation leaves something open, it takes the reading that is hardest for the sender.
//
// A Server is an http.Handler. It has no goroutine of its own and uses no clock but package time's, so it runs in virtual time inside
// a testing/synctest bubble. Package limit describes limits and refuses calls, judge finds overruns. Package crm says
// what a product is; each has a package of its own, records and desk hold what callers make.
package crmsim
