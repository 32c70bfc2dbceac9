// SPDX-License-Identifier: Apache-2.0

// Package sim runs the whole dispatcher (intake, scheduler, ledger, store, upstream) against the simulated CRM in one testing/synctest bubble: days of virtual
// time in seconds, with power loss, restarts, outages, stalls and new plans, all chosen by a seed. It holds tests only.
//
//	SEED=7 go test -v -run TestSimulation ./internal/dispatcher/sim
package sim
