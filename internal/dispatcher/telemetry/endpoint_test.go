// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// resolver knows some names and counts what it is asked. Names without addresses have a public one.
type resolver struct {
	mu        sync.Mutex
	errs      map[string]error
	addresses map[string]string
	asked     map[string]int
}

func (r *resolver) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[host]++
	if err := r.errs[host]; err != nil || network != "ip" {
		return nil, err
	}
	var found []netip.Addr
	for text := range strings.FieldsSeq(cmp.Or(r.addresses[host], "192.0.1.7")) {
		found = append(found, netip.MustParseAddr(text))
	}
	return found, nil
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
			if diff := gocmp.Diff(report, e.Report()); diff != "" {
				t.Error(diff)
			}
			if diff := gocmp.Diff(asked, names.counts()); diff != "" {
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
		f.apply(planWith(3, "http://[2a00::1]:8090"))
		expect(contract.EndpointReport{Resolved: true}, map[string]int{"wrong.example": 5, "slow.example": 1})
	})
}

// TestTheEndpointsAddressIsJudged: what a connection would be refused for shows before a call comes.
func TestTheEndpointsAddressIsJudged(t *testing.T) {
	names := &resolver{asked: map[string]int{}, addresses: map[string]string{
		"both.example": "10.0.0.8 192.0.1.7", "inside.example": "10.0.0.8 10.0.0.7", "cloud.example": "169.254.169.254", "mapped.example": "::ffff:10.0.0.7",
	}}
	inside := `the host "inside.example" is not called: 10.0.0.7 is an address of a private network, to which the CRM object does not allow connections: ` +
		`set spec.network to Private if it is the right one`
	cloud := `the host "cloud.example" is not called: 169.254.169.254 is a link-local address, to which no connection is ever made`
	for _, c := range []struct {
		host    string
		network contract.Network
		says    string
	}{
		{host: "public.example"},
		{host: "both.example"},
		{host: "inside.example", says: inside},
		{host: "inside.example", network: contract.NetworkPrivate},
		{host: "mapped.example", says: strings.ReplaceAll(inside, "inside.example", "mapped.example")},
		{host: "10.0.0.7", says: strings.ReplaceAll(inside, "inside.example", "10.0.0.7")},
		{host: "10.0.0.7", network: contract.NetworkPrivate},
		{host: "cloud.example", says: cloud},
		{host: "cloud.example", network: contract.NetworkPrivate, says: cloud},
	} {
		plan := planWith(1, "https://"+c.host)
		plan.Network = c.network
		want := contract.EndpointReport{Resolved: c.says == "", NotAllowed: c.says != "", Message: c.says}
		if diff := gocmp.Diff(want, NewEndpoint(names, nil).lookUp(t.Context(), plan)); diff != "" {
			t.Errorf("%s in %q (-want +got):\n%s", c.host, c.network, diff)
		}
	}
}
