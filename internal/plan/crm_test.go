// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

func TestPlanOfACRM(t *testing.T) {
	keys := json.RawMessage(`{"keys":[]}`)
	out := plan.Compile(plan.Input{
		CRM:          crm(),
		Integrations: []v1alpha1.Integration{integration("ccai", percent(60), key("a"))},
		Issuers:      []contract.TokenIssuer{{Issuer: "b", Keys: keys}, {Issuer: "broken", Keys: json.RawMessage("<html>")}, {Issuer: "a", Keys: keys}},
		ReportReader: "system:serviceaccount:crm-quota-system:manager",
		Now:          now,
	})
	want := &contract.Plan{
		Schema: contract.PlanSchema, Sequence: 1,
		CRM:         contract.CRMIdentity{Namespace: "cc", Name: "zendesk", UID: "crm-1", Generation: 1, Provider: "Zendesk", Account: "acme"},
		Endpoint:    "https://acme.zendesk.com",
		Credentials: contract.Credentials{Basic: &contract.BasicKeys{Username: "username", Password: "password"}},
		Intake: contract.Intake{
			URL: "https://zendesk-crm-dispatcher.cc.svc",
			Hosts: []string{
				"zendesk-crm-dispatcher.cc.svc", "zendesk-crm-dispatcher", "zendesk-crm-dispatcher.cc", "zendesk-crm-dispatcher.cc.svc.cluster.local",
				"localhost", "127.0.0.1",
			},
		},
		Limits: []contract.Limit{
			{Name: "minute", Calls: 400, WindowSeconds: 60},
			{Name: "day", Calls: 2500, Calendar: &contract.Calendar{Unit: contract.CalendarDay, TimeZone: "Europe/Berlin"}, AlertOnly: true},
			{Name: "inflight", Concurrent: 20},
		},
		UsageSeconds:          60,
		MaxServerDelaySeconds: 60,
		Ledger:                contract.LedgerPast{AfterLoss: contract.LedgerBounded},
		Tiers: []contract.Tier{ // of the declared limits only minute is one that a tier implies
			{Name: "SuiteTeam", Limits: map[string]int64{"minute": 200}},
			{Name: "SuiteGrowth", Limits: map[string]int64{"minute": 400}},
			{Name: "SuiteEnterprise", Limits: map[string]int64{"minute": 700}},
			{Name: "SuiteEnterprisePlus", Limits: map[string]int64{"minute": 2500}},
		},

		Enforce:      true,
		TokenIssuers: []contract.TokenIssuer{{Issuer: "a", Keys: keys}, {Issuer: "b", Keys: keys}},
		ReportReader: "system:serviceaccount:crm-quota-system:manager",
		Integrations: []contract.Integration{{
			Namespace: "cc", Name: "ccai", UID: "uid-ccai", Generation: 1,
			Share: contract.Share{Part: contract.Part{GuaranteedPercent: 60, MaxPercent: 100}, Weight: 1, LendPercent: 50}, Priority: contract.PriorityStandard,
			Clients: []contract.Client{
				{Name: "main", ServiceAccount: "system:serviceaccount:cc:ccai"},
				{Name: "key-a", APIKeySHA256: []string{strings.Repeat("a", 64)}},
			},
			Enforce: true, Default: contract.Wait, WaitSeconds: 8, Queue: contract.Queue{MaxCalls: 1000, MaxBytes: 128 << 20, MaxAgeSeconds: 86400},
			ShareReads: true, Batching: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10},
		}},
	}
	if diff := cmp.Diff(want, out.Plan); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if !out.CRM.OK() || !decision(out, "ccai").OK() || len(out.Warnings) > 0 || out.RecheckAfter != 0 {
		t.Errorf("decisions %+v %+v, warnings %q, recheck %s; want everything accepted for good", out.CRM, out.Integrations, out.Warnings, out.RecheckAfter)
	}
}

func TestCRMFieldsReachThePlan(t *testing.T) {
	for name, row := range map[string]struct {
		edit func(*v1alpha1.CRM)
		read func(*contract.Plan) any
		want any
	}{
		"Shadow does not enforce": {
			func(c *v1alpha1.CRM) { c.Spec.Enforcement = v1alpha1.EnforcementShadow },
			func(p *contract.Plan) any { return []bool{p.Enforce, p.Integrations[0].Enforce} }, []bool{false, false},
		},
		"Observe neither takes nor enforces": {
			func(c *v1alpha1.CRM) { c.Spec.Enforcement = v1alpha1.EnforcementObserve },
			func(p *contract.Plan) any { return []bool{p.Observe, p.Enforce, p.Integrations[0].Enforce} }, []bool{true, false, false},
		},
		"how often to ask what was used": {
			func(c *v1alpha1.CRM) { c.Spec.Usage.IntervalSeconds = new(int32(900)) },
			func(p *contract.Plan) any { return p.UsageSeconds }, int64(900),
		},
		"or never": {
			func(c *v1alpha1.CRM) { c.Spec.Usage.IntervalSeconds = new(int32(0)) },
			func(p *contract.Plan) any { return p.UsageSeconds }, int64(0),
		},
		"a private network is named": {
			func(c *v1alpha1.CRM) { c.Spec.Network = v1alpha1.NetworkPrivate },
			func(p *contract.Plan) any { return p.Network }, contract.NetworkPrivate,
		},
		"the public one is not": {
			func(c *v1alpha1.CRM) { c.Spec.Network = v1alpha1.NetworkPublic },
			func(p *contract.Plan) any { return p.Network }, contract.NetworkPublic,
		},
		"Hold holds": {
			func(c *v1alpha1.CRM) { c.Spec.Dispatch = v1alpha1.DispatchHold },
			func(p *contract.Plan) any { return []bool{p.Hold, p.Drain} }, []bool{true, false},
		},
		"Drain drains": {
			func(c *v1alpha1.CRM) { c.Spec.Dispatch = v1alpha1.DispatchDrain },
			func(p *contract.Plan) any { return []bool{p.Hold, p.Drain} }, []bool{false, true},
		},
		"HTTP is in clear text on the same name": {
			func(c *v1alpha1.CRM) { c.Spec.Intake.Scheme = v1alpha1.IntakeSchemeHTTP },
			func(p *contract.Plan) any { return []any{p.Intake.URL, p.Intake.PlainHTTP} }, []any{"http://zendesk-crm-dispatcher.cc.svc", true},
		},
		"a TLS Secret is used": {
			func(c *v1alpha1.CRM) { c.Spec.Intake.TLSSecretRef = &v1alpha1.LocalReference{Name: "tls"} },
			func(p *contract.Plan) any { return p.Intake.CertificateFromSecret }, true,
		},
		"an encryption Secret is used": {
			func(c *v1alpha1.CRM) {
				c.Spec.Storage.Encryption = &v1alpha1.Encryption{CurrentKey: "current", FormerKey: "former"}
			},
			func(p *contract.Plan) any { return p.Encryption }, &contract.Encryption{Current: "current", Former: "former"},
		},
		"spans go to the collector": {
			func(c *v1alpha1.CRM) {
				c.Spec.Tracing = &v1alpha1.Tracing{Endpoint: "http://otel-collector.observability:4318", SamplingPercent: new(int32(25))}
			},
			func(p *contract.Plan) any { return p.Tracing }, &contract.Tracing{Endpoint: "http://otel-collector.observability:4318", SamplingPercent: 25},
		},
		"a bearer token is used": {
			func(c *v1alpha1.CRM) {
				c.Spec.Credentials = v1alpha1.Credentials{Bearer: &v1alpha1.BearerCredentials{TokenKey: "token"}}
			},
			func(p *contract.Plan) any { return p.Credentials }, contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}},
		},
		"a header is used": {
			func(c *v1alpha1.CRM) {
				c.Spec.Credentials = v1alpha1.Credentials{Header: &v1alpha1.HeaderCredentials{Name: "X-Key", ValueKey: "value"}}
			},
			func(p *contract.Plan) any { return p.Credentials }, contract.Credentials{Header: &contract.HeaderKeys{Header: "X-Key", Value: "value"}},
		},
		"client credentials of Zendesk are asked for at its endpoint": {
			func(c *v1alpha1.CRM) {
				c.Spec.Credentials = v1alpha1.Credentials{OAuthClient: &v1alpha1.OAuthClientCredentials{
					SecretRef: v1alpha1.LocalReference{Name: "s"}, ClientIDKey: "id", ClientSecretKey: "secret", Scopes: []v1alpha1.Scope{"read"},
				}}
			},
			func(p *contract.Plan) any { return p.Credentials }, contract.Credentials{Secret: "s", OAuthClient: &contract.OAuthClientKeys{
				TokenURL: "https://acme.zendesk.com/oauth/tokens", ClientID: "id", ClientSecret: "secret", Scopes: []string{"read"},
			}},
		},
		"a refresh token goes where the manifest says": {
			func(c *v1alpha1.CRM) {
				c.Spec.Credentials = v1alpha1.Credentials{OAuthRefresh: &v1alpha1.OAuthRefreshCredentials{
					SecretRef: v1alpha1.LocalReference{Name: "s"}, TokenURL: "https://a.test/token", ClientIDKey: "id", ClientSecretKey: "secret", RefreshTokenKey: "refresh",
				}}
			},
			func(p *contract.Plan) any { return p.Credentials }, contract.Credentials{Secret: "s", OAuthRefresh: &contract.OAuthRefreshKeys{
				TokenURL: "https://a.test/token", ClientID: "id", ClientSecret: "secret", RefreshToken: "refresh",
			}},
		},
		"assertions are made out": {
			func(c *v1alpha1.CRM) {
				c.Spec.Credentials = v1alpha1.Credentials{OAuthJWT: &v1alpha1.OAuthJWTCredentials{
					SecretRef: v1alpha1.LocalReference{Name: "s"}, TokenURL: "https://a.test/token", Audience: "https://login.test",
					ClientIDKey: "id", PrivateKeyKey: "key", SubjectKey: "subject", Scopes: []v1alpha1.Scope{"api", "web"},
				}}
			},
			func(p *contract.Plan) any { return p.Credentials }, contract.Credentials{Secret: "s", OAuthJWT: &contract.OAuthJWTKeys{
				TokenURL: "https://a.test/token", Audience: "https://login.test", ClientID: "id", PrivateKey: "key", Subject: "subject", Scopes: []string{"api", "web"},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := compile(crm(row.edit), nil, integration("ccai"))
			if diff := cmp.Diff(row.want, row.read(out.Plan)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

// unknownZone makes a spec that the API server takes and the compiler does not, with another limit lowered to see whether the edit is taken in part.
func unknownZone(c *v1alpha1.CRM) {
	c.Generation = 2
	c.Spec.Licence.Limits[0].Calls = 100
	c.Spec.Licence.Limits[1].Calendar.TimeZone = "Europe/Atlantis"
}

func TestCRMsThatAreNotAccepted(t *testing.T) {
	other := &types.NamespacedName{Namespace: "staging", Name: "zendesk"}
	for name, row := range map[string]struct {
		edit    func(*plan.Input)
		reason  string
		message string
		keeps   bool
	}{
		"an unknown time zone keeps the previous plan": {
			func(in *plan.Input) { unknownZone(in.CRM) }, v1alpha1.ReasonUnknownTimeZone,
			`licence.limits[1] (day): there is no time zone "Europe/Atlantis"`, true,
		},
		"the library's own name Local is no time zone": {
			func(in *plan.Input) { in.CRM.Spec.Licence.Limits[1].Calendar.TimeZone = "Local" }, v1alpha1.ReasonUnknownTimeZone, `no time zone "Local"`, true,
		},
		"a foreign object of a child's name keeps the previous plan": {
			func(in *plan.Input) { in.NameTaken = "StatefulSet zendesk-crm-dispatcher" }, v1alpha1.ReasonNameTaken,
			"StatefulSet zendesk-crm-dispatcher exists and was not made by this operator", true,
		},
		"another account keeps the previous plan": {
			func(in *plan.Input) { in.CRM.Spec.Endpoint = "https://other.zendesk.com" }, v1alpha1.ReasonLicenceChanged,
			`cannot change from Zendesk "acme" to Zendesk "other"`, true,
		},
		"another provider keeps the previous plan": {
			func(in *plan.Input) {
				in.CRM.Spec.Provider, in.CRM.Spec.Licence.Account = v1alpha1.ProviderGeneric, "acme"
			}, v1alpha1.ReasonLicenceChanged,
			`cannot change from Zendesk "acme" to Generic "acme"`, true,
		},
		"moving to a licence that another CRM spends keeps the previous plan": {
			func(in *plan.Input) { in.CRM.Spec.Endpoint, in.LicenceHolder = "https://other.zendesk.com", other }, v1alpha1.ReasonLicenceInUse,
			`the licence of Zendesk account "other" is already spent by CRM staging/zendesk`, true,
		},
		"its own licence spent by another CRM ends its plan": {
			func(in *plan.Input) { in.LicenceHolder = other }, v1alpha1.ReasonLicenceInUse, `account "acme" is already spent by CRM staging/zendesk`, false,
		},
		"the plan of an earlier object of its name is not kept": {
			func(in *plan.Input) { unknownZone(in.CRM); in.CRM.UID = "crm-2" }, v1alpha1.ReasonUnknownTimeZone, "Europe/Atlantis", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := compile(crm(), nil, integration("ccai", percent(60))).Plan
			in := plan.Input{CRM: crm(), Integrations: []v1alpha1.Integration{integration("ccai", percent(60))}, Previous: throughJSON(t, before), Now: now}
			row.edit(&in)
			out := plan.Compile(in)
			if out.CRM.Reason != row.reason || !strings.Contains(out.CRM.Message, row.message) {
				t.Errorf("decision %+v, want %s: ..%s..", out.CRM, row.reason, row.message)
			}
			if !row.keeps {
				if out.Plan != nil || decision(out, "ccai").Reason != v1alpha1.ReasonCRMNotAccepted {
					t.Errorf("plan %+v, integration %+v; want no plan and %s", out.Plan, decision(out, "ccai"), v1alpha1.ReasonCRMNotAccepted)
				}
				return
			}
			if diff := cmp.Diff(before, out.Plan); diff != "" {
				t.Errorf("the previous plan did not stay (-previous +got):\n%s", diff)
			}
			if !decision(out, "ccai").OK() {
				t.Errorf("integration %+v; want it accepted, because its plan is in force", decision(out, "ccai"))
			}
		})
	}
}

func TestIntegrationsGoOnWhileTheCRMsEditIsRefused(t *testing.T) {
	before := compile(crm(), nil, integration("ccai", percent(60))).Plan
	out := compile(crm(unknownZone), before, integration("ccai", percent(50), generation(2)), integration("etl", calls("minute", 200)))
	if got := entry(t, out.Plan, "ccai").Share.GuaranteedPercent; got != 50 || !decision(out, "etl").OK() {
		t.Errorf("ccai has %d percent, etl is %+v; want both edits in force against the limits in force", got, decision(out, "etl"))
	}
	if out.Plan.CRM.Generation != 1 || out.Plan.Limits[0].Calls != 400 {
		t.Errorf("generation %d with %d calls a minute; want the CRM's accepted generation 1 with 400", out.Plan.CRM.Generation, out.Plan.Limits[0].Calls)
	}
}

func TestDeletingDrains(t *testing.T) {
	before := compile(crm(), nil, integration("ccai")).Plan
	for name, edit := range map[string]func(*v1alpha1.CRM){"an accepted CRM": func(*v1alpha1.CRM) {}, "a CRM with a refused edit": unknownZone} {
		t.Run(name, func(t *testing.T) {
			out := plan.Compile(plan.Input{CRM: crm(edit), Previous: before, Deleting: true, Now: now})
			if !out.Plan.Drain || out.Plan.Sequence != before.Sequence+1 {
				t.Errorf("drain %t, sequence %d; want a new plan that drains", out.Plan.Drain, out.Plan.Sequence)
			}
		})
	}
}

func TestSequence(t *testing.T) {
	first := compile(crm(), nil, integration("ccai")).Plan
	at := func(sequence int64) *contract.Plan { p := *first; p.Sequence = sequence; return &p }
	for name, row := range map[string]struct {
		previous *contract.Plan
		reported int64
		edit     func(*v1alpha1.CRM)
		want     int64
	}{
		"the first plan is number 1":                                     {nil, 0, nil, 1},
		"a lost ConfigMap goes on above the dispatcher's word":           {nil, 7, nil, 8},
		"the same content keeps its number":                              {at(4), 4, nil, 4},
		"the same content keeps its number before it is reported":        {at(4), 3, nil, 4},
		"other content gets the next number":                             {at(4), 4, func(c *v1alpha1.CRM) { c.Generation = 2 }, 5},
		"a restored old ConfigMap is lifted above the dispatcher's word": {at(4), 9, nil, 10},
	} {
		t.Run(name, func(t *testing.T) {
			c := crm()
			if row.edit != nil {
				row.edit(c)
			}
			out := plan.Compile(plan.Input{
				CRM: c, Integrations: []v1alpha1.Integration{integration("ccai")}, Previous: throughJSON(t, row.previous), ReportedSequence: row.reported, Now: now,
			})
			if out.Plan.Sequence != row.want {
				t.Errorf("sequence %d, want %d", out.Plan.Sequence, row.want)
			}
		})
	}
}

func TestBypass(t *testing.T) {
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	for name, row := range map[string]struct {
		value   string
		until   time.Duration // 0: off
		recheck time.Duration
		warning string
	}{
		"an hour ahead is in force":              {at(time.Hour), time.Hour, time.Hour, ""},
		"24 hours ahead is in force":             {at(24 * time.Hour), 24 * time.Hour, 24 * time.Hour, ""},
		"another zone's time is the same moment": {now.Add(time.Hour).In(time.FixedZone("", 3600)).Format(time.RFC3339), time.Hour, time.Hour, ""},
		"the past is off":                        {at(-time.Second), 0, 0, ""},
		"this very moment is off":                {at(0), 0, 0, ""},
		"more than 24 hours ahead is ignored":    {at(25 * time.Hour), 0, time.Hour, "is ignored while it is more than 24 hours ahead"},
		"a word is ignored":                      {"tomorrow", 0, 0, `is ignored: "tomorrow" is not an RFC 3339 time`},
		"nothing is ignored":                     {"", 0, 0, `is ignored: "" is not an RFC 3339 time`},
	} {
		t.Run(name, func(t *testing.T) {
			out := compile(crm(func(c *v1alpha1.CRM) { c.Annotations = map[string]string{v1alpha1.AnnotationBypassUntil: row.value} }), nil)
			var want *time.Time
			if row.until != 0 {
				want = new(now.Add(row.until))
			}
			if diff := cmp.Diff(want, out.Plan.BypassUntil); diff != "" || out.RecheckAfter != row.recheck || !out.CRM.OK() {
				t.Errorf("bypass, recheck %s want %s (-want +got):\n%s", out.RecheckAfter, row.recheck, diff)
			}
			if got := strings.Join(out.Warnings, "; "); !strings.Contains(got, row.warning) || (row.warning == "") != (got == "") {
				t.Errorf("warnings %q, want %q", got, row.warning)
			}
		})
	}
}
