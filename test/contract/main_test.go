// SPDX-License-Identifier: Apache-2.0

// Package contract holds each provider's adapter and its CRM to the same facts: the simulated CRM over loopback, or a vendor's sandbox. The cases are data, in cases_*.go.
//
// docs/contract.md says how a sandbox is named.
package contract

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// The environment names a sandbox. Without it the CRMs are simulated ones.
const (
	envProvider = "CRMQUOTA_CONTRACT_PROVIDER" // whose adapter is held to the sandbox
	envURL      = "CRMQUOTA_CONTRACT_URL"      // where it is, without a path
	envSecret   = "CRMQUOTA_CONTRACT_SECRET"   //nolint:gosec // the name of a variable; it holds a token, an API key, or user:password
	envWrites   = "CRMQUOTA_CONTRACT_WRITES"   // 1: calls that write are made, too
)

const simulatedSecret = "secret-of-the-simulated-crm"

// target is the CRM that a test talks to.
type target struct {
	*testing.T
	suite    suite
	provider provider.Provider
	url      string
	secret   string
	client   *http.Client
	// sim is nil for a sandbox.
	sim *crmsim.Server
	// vars fill placeholders in paths and bodies.
	vars map[string]string
}

func isSandbox() bool { return os.Getenv(envURL) != "" }

// writes reports whether calls that write may be made.
func writes() bool { return !isSandbox() || os.Getenv(envWrites) == "1" }

// each runs a test for each CRM, or for the one of the sandbox. Limits are those of the simulated one.
func each(t *testing.T, test func(c *target)) {
	t.Helper()
	for _, s := range suites {
		if isSandbox() && s.provider != os.Getenv(envProvider) {
			continue
		}
		t.Run(s.provider, func(t *testing.T) { test(open(t, s)) })
	}
}

// simulatedOnly skips a test that uses the licence up, or looks into the CRM.
func simulatedOnly(t *testing.T) {
	t.Helper()
	if isSandbox() {
		t.Skip("not in a sandbox")
	}
}

// open returns the sandbox, or a new simulated CRM with those limits.
func open(t *testing.T, s suite, limits ...string) *target {
	t.Helper()
	c := &target{T: t, suite: s, client: loopback, url: os.Getenv(envURL), secret: os.Getenv(envSecret), vars: map[string]string{}}
	var found bool
	if c.provider, found = provider.ByName(s.provider); !found {
		t.Fatalf("there is no provider %s", s.provider)
	}
	if isSandbox() {
		return c
	}
	c.secret = simulatedSecret
	c.sim = simulated(s, crmsim.Config{Limits: limit.MustParse(limits...)})
	server := httptest.NewServer(c.sim)
	t.Cleanup(func() {
		server.Close()
		c.sim.Close()
	})
	c.url = server.URL
	return c
}

// simulated is the product of a suite, with 250 contacts; jobs have ended when anybody asks.
func simulated(s suite, config crmsim.Config) *crmsim.Server {
	config.CRM, config.Tokens, config.Users = cmp.Or(s.sim, s.provider), []string{simulatedSecret}, 250
	config.JobDuration, config.Stamp = time.Nanosecond, crmsim.AtArrival
	return crmsim.New(config)
}

// TestEveryProviderHasItsCases and every product that is simulated is one of them.
func TestEveryProviderHasItsCases(t *testing.T) {
	var have []string
	for _, s := range suites {
		have = append(have, s.provider)
	}
	for _, p := range provider.All() {
		if !slices.Contains(have, p.Name()) {
			t.Errorf("%s has no cases", p.Name())
		}
	}
	for _, name := range crmsim.Names() {
		if !slices.Contains(have, name) {
			t.Errorf("the simulated %s has no cases", name)
		}
	}
}

// bearer signs by a bearer token.
func bearer(r *http.Request, secret string) { r.Header.Set("Authorization", "Bearer "+secret) }
