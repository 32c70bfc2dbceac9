// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/token"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// Bounds of a plan, as the API has them.
const (
	maxLimits        = 16
	maxWindowSeconds = 31 * 24 * 60 * 60
	maxCalls         = 1_000_000_000
	maxConcurrent    = 10_000
)

// problems collects what is wrong with a plan, each with the path of its field.
type problems []error

// require notes a problem unless it holds.
func (p *problems) require(holds bool, field, format string, args ...any) {
	if !holds {
		*p = append(*p, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
}

func (p *problems) within(value, low, high int64, field string) {
	p.require(low <= value && value <= high, field, "%d is not between %d and %d", value, low, high)
}

// validate holds a plan against every bound: the manager keeps to them, so an error means that somebody else wrote the file, or a mistake.
func validate(plan *contract.Plan) error {
	var p problems
	p.require(plan.Sequence >= 1, "sequence", "%d is less than 1", plan.Sequence)
	p.identity(plan.CRM)
	p.baseURL(plan.Endpoint, "endpoint")
	p.credentials(plan.Credentials)
	p.intake(plan.Intake)
	if _, err := token.NewVerifier(plan.TokenIssuers); err != nil {
		p = append(p, fmt.Errorf("tokenIssuers: %w", err))
	}
	p.limits(plan.Limits)
	p.integrations(plan)
	return p.err()
}

// maxNamed is how many problems an error names: it ends up in a condition.
const maxNamed = 4

func (p problems) err() error {
	if len(p) > maxNamed {
		return fmt.Errorf("%w; and %d more", p[:maxNamed].err(), len(p)-maxNamed)
	}
	if len(p) == 0 {
		return nil
	}
	texts := make([]string, len(p))
	for i, problem := range p {
		texts[i] = problem.Error()
	}
	return errors.New(strings.Join(texts, "; "))
}

func (p *problems) identity(crm contract.CRMIdentity) {
	p.require(crm.Namespace != "" && crm.Name != "" && crm.UID != "", "crm", "namespace, name and uid are required")
	p.require(crm.Account != "", "crm.account", "is required")
	_, known := provider.ByName(crm.Provider)
	p.require(known, "crm.provider", "%q is not known", crm.Provider)
}

// baseURL checks a URL of scheme, host and port.
func (p *problems) baseURL(value, field string) {
	u, err := url.Parse(value)
	p.require(err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && *u == url.URL{Scheme: u.Scheme, Host: u.Host},
		field, "%q is not a URL of scheme http or https, host and port alone", value)
}

var (
	secretKey  = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
	headerName = regexp.MustCompile(`^[A-Za-z][-A-Za-z0-9]*$`)
)

func (p *problems) credentials(c contract.Credentials) {
	kinds := 0
	keys := map[string]string{}
	if c.Basic != nil {
		kinds++
		keys["basic.username"], keys["basic.password"] = c.Basic.Username, c.Basic.Password
	}
	if c.Bearer != nil {
		kinds++
		keys["bearer.token"] = c.Bearer.Token
	}
	if c.Header != nil {
		kinds++
		keys["header.value"] = c.Header.Value
		p.require(headerName.MatchString(c.Header.Header), "credentials.header.header", "%q is not the name of a header", c.Header.Header)
	}
	p.require(kinds == 1, "credentials", "exactly one of basic, bearer, header must be set")
	for field, key := range keys {
		p.require(secretKey.MatchString(key) && key != "." && key != "..", "credentials."+field, "%q is not a key of a Secret", key)
	}
}

var dnsName = regexp.MustCompile(`^(\*\.)?[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$`)

func (p *problems) intake(intake contract.Intake) {
	p.baseURL(intake.URL, "intake.url")
	for i, host := range intake.Hosts {
		p.require(dnsName.MatchString(host) || net.ParseIP(host) != nil, fmt.Sprintf("intake.hosts[%d]", i), "%q is neither a DNS name nor an address", host)
	}
	p.require(!intake.PlainHTTP || !intake.CertificateFromSecret, "intake", "plainHTTP and certificateFromSecret exclude each other")
}

func (p *problems) limits(limits []contract.Limit) {
	p.require(1 <= len(limits) && len(limits) <= maxLimits, "limits", "there are %d, not 1 to %d", len(limits), maxLimits)
	seen := map[string]bool{}
	for _, limit := range limits {
		field := fmt.Sprintf("limits[%s]", limit.Name)
		p.require(limit.Name != "" && !seen[limit.Name], field, "names must be set and differ")
		seen[limit.Name] = true
		p.limit(limit, field)
	}
}

func (p *problems) limit(limit contract.Limit, field string) {
	kinds := 0
	if limit.WindowSeconds != 0 {
		kinds++
		p.within(limit.WindowSeconds, 1, maxWindowSeconds, field+".windowSeconds")
	}
	if limit.DayTimeZone != "" {
		kinds++
		_, err := time.LoadLocation(limit.DayTimeZone)
		p.require(err == nil && limit.DayTimeZone != "Local", field+".dayTimeZone", "%q is not a time zone", limit.DayTimeZone)
	}
	if limit.Concurrent != 0 {
		kinds++
		p.within(limit.Concurrent, 1, maxConcurrent, field+".concurrent")
		p.require(limit.Calls == 0, field+".calls", "must not be set with concurrent")
	} else {
		p.within(limit.Calls, 1, maxCalls, field+".calls")
	}
	p.require(kinds == 1, field, "exactly one of windowSeconds, dayTimeZone, concurrent must be set")
}
