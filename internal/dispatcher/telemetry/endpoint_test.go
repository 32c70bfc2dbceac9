// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"maps"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// resolver knows some names and counts what it is asked.
type resolver struct {
	mu    sync.Mutex
	errs  map[string]error
	asked map[string]int
}

func (r *resolver) LookupHost(_ context.Context, host string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[host]++
	return nil, r.errs[host]
}

// mend makes a name known.
func (r *resolver) mend(host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.errs, host)
}

func (r *resolver) counts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.asked)
}

func TestTheEndpointIsLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		missing := &net.DNSError{IsNotFound: true, Server: "10.96.0.10:53"}
		names := &resolver{errs: map[string]error{"wrong.example": missing, "slow.example": context.DeadlineExceeded}, asked: map[string]int{}}
		f := newFake(nil)
		e := NewEndpoint(names, f.Plan)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go e.Run(ctx)

		expect := func(report contract.EndpointReport, asked map[string]int) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(report, e.Report()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(asked, names.counts()); diff != "" {
				t.Error(diff)
			}
		}
		expect(contract.EndpointReport{}, map[string]int{})

		f.apply(planWith(1, "https://wrong.example"))
		notFound := contract.EndpointReport{Message: `the host "wrong.example" cannot be looked up: there is no such name`}
		expect(notFound, map[string]int{"wrong.example": 1})
		time.Sleep(2*time.Minute + time.Second)
		expect(notFound, map[string]int{"wrong.example": 3})
		names.mend("wrong.example")
		time.Sleep(time.Minute)
		expect(contract.EndpointReport{Resolved: true}, map[string]int{"wrong.example": 4})
		time.Sleep(10*time.Minute + time.Second)
		expect(contract.EndpointReport{Resolved: true}, map[string]int{"wrong.example": 5})

		f.apply(planWith(2, "https://slow.example:8443"))
		expect(contract.EndpointReport{Message: `the host "slow.example" cannot be looked up: the name server gives no answer`}, map[string]int{"wrong.example": 5, "slow.example": 1})
		f.apply(planWith(3, "http://[::1]:8090"))
		expect(contract.EndpointReport{Resolved: true}, map[string]int{"wrong.example": 5, "slow.example": 1})
	})
}
