// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
)

const (
	// lookUpTime bounds one look-up.
	lookUpTime = 10 * time.Second
	// A name that was found is looked up again after a while, one that was not soon: somebody may be mending it.
	lookUpFound  = 10 * time.Minute
	lookUpFailed = time.Minute
)

// Resolver looks host names up; net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Endpoint knows whether the host of the CRM's endpoint can be looked up, and has an address that may be called.
type Endpoint struct {
	resolver Resolver
	plan     func() (*contract.Plan, <-chan struct{})
	report   atomic.Pointer[contract.EndpointReport]
}

// NewEndpoint returns an Endpoint that follows the plan in force.
func NewEndpoint(resolver Resolver, plan func() (*contract.Plan, <-chan struct{})) *Endpoint {
	e := &Endpoint{resolver: resolver, plan: plan}
	e.report.Store(&contract.EndpointReport{})
	return e
}

// Report is what the last look-up found.
func (e *Endpoint) Report() contract.EndpointReport { return *e.report.Load() }

// Run looks the host up whenever the plan changes, and from time to time, until ctx ends.
func (e *Endpoint) Run(ctx context.Context) {
	for {
		plan, changed := e.plan()
		pause := lookUpFound
		if plan != nil {
			report := e.lookUp(ctx, plan)
			e.report.Store(&report)
			if !report.Resolved {
				pause = lookUpFailed
			}
		}
		again := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-again.C:
		}
		again.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

func (e *Endpoint) lookUp(ctx context.Context, plan *contract.Plan) contract.EndpointReport {
	u, err := url.Parse(plan.Endpoint)
	if err != nil {
		return contract.EndpointReport{Message: "the endpoint is not a URL"}
	}
	host := u.Hostname()
	if a, err := netip.ParseAddr(host); err == nil {
		return judge(plan.Network, host, []netip.Addr{a})
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	addresses, err := e.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return contract.EndpointReport{Message: fmt.Sprintf("the host %q cannot be looked up: %s", host, lookUpProblem(err))}
	}
	return judge(plan.Network, host, addresses)
}

// judge says whether a host can be called at one of its addresses: others are passed over when a connection is made.
func judge(network contract.Network, host string, addresses []netip.Addr) contract.EndpointReport {
	var first error
	slices.SortFunc(addresses, netip.Addr.Compare) // name servers change the order, and conditions are to stay
	for _, a := range addresses {
		err := guard.Check(network, a.Unmap())
		if err == nil {
			return contract.EndpointReport{Resolved: true}
		}
		first = cmp.Or(first, err)
	}
	return contract.EndpointReport{NotAllowed: true, Message: fmt.Sprintf("the host %q is not called: %s", host, first)}
}

// lookUpProblem is the error without what differs from one look-up to the next, since it ends up in a condition.
func lookUpProblem(err error) string {
	if dns, isDNS := errors.AsType[*net.DNSError](err); isDNS && dns.IsNotFound {
		return "there is no such name"
	}
	return "the name server gives no answer"
}
