// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/token"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// Bounds of a plan, as the API has them.
const (
	maxExternalPercent    = 90
	maxServerDelaySeconds = 3600
	maxUsageSeconds       = 86400
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
	p.require(plan.Network == contract.NetworkPublic || plan.Network == contract.NetworkPrivate, "network", "%q is neither empty nor Private", plan.Network)
	p.credentials(plan.Credentials, plan.Endpoint, "credentials")
	p.require(!plan.Credentials.Own, "credentials.own", "must not be set for the CRM's credentials")
	p.intake(plan.Intake)
	p.encryption(plan.Encryption)
	p.tracing(plan.Tracing)
	if _, err := token.NewVerifier(plan.TokenIssuers); err != nil {
		p = append(p, fmt.Errorf("tokenIssuers: %w", err))
	}
	switch plan.LimitSource {
	case "", contract.LimitDeclared, contract.LimitReported, contract.LimitLowest:
	default:
		p.require(false, "limitSource", "%q is not Declared, Reported or Lowest", plan.LimitSource)
	}
	p.within(plan.ExternalPercent, 0, maxExternalPercent, "externalPercent")
	p.within(plan.MaxServerDelaySeconds, 0, maxServerDelaySeconds, "maxServerDelaySeconds")
	p.within(plan.UsageSeconds, 0, maxUsageSeconds, "usageSeconds")
	p.require(!plan.Observe || !plan.Enforce, "observe", "excludes enforce")
	adapter, _ := provider.Of(plan)
	p.generic(plan)
	p.limits(plan.Limits, adapter, "limits")
	if plan.Next != nil {
		p.require(!plan.Next.From.IsZero(), "next.from", "is required")
		p.limits(plan.Next.Limits, adapter, "next.limits")
	}
	p.ledger(plan.Ledger)
	p.integrations(plan, adapter)
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

func (p *problems) tracing(t *contract.Tracing) {
	if t != nil {
		p.baseURL(t.Endpoint, "tracing.endpoint")
		p.within(t.SamplingPercent, 0, 100, "tracing.samplingPercent")
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

func (p *problems) ledger(past contract.LedgerPast) {
	switch past.AfterLoss {
	case "", contract.LedgerBounded, contract.LedgerSpent, contract.LedgerFresh:
	default:
		p.require(false, "ledger.afterLoss", "%q is not Bounded, Spent or Fresh", past.AfterLoss)
	}
	p.require(past.Reached >= 0 && (past.Reached == 0 || past.Volume != ""), "ledger.reached", "%d is not a position of a volume", past.Reached)
	if past.Lost == nil {
		return
	}
	two := past.Volume != "" && past.Lost.Found != "" && past.Lost.Found != past.Volume
	p.require(two, "ledger.lost", "needs two volumes, one that was lost and one that was found")
	p.require(!past.Lost.At.IsZero(), "ledger.lost.at", "is required")
	for name, used := range past.Lost.Used {
		p.require(used >= 0, "ledger.lost.used["+name+"]", "%d is negative", used)
	}
}
