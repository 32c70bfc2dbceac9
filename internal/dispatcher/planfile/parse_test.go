// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// golden is a plan as the manager writes it.
func golden(tb testing.TB) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/plan.json")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestParseReadsAllOfThePlan(t *testing.T) {
	plan, rejected := Parse(golden(t))
	if rejected != nil {
		t.Fatal(rejected.Reason)
	}
	written, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal(golden(t), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &got); err != nil {
		t.Fatal(err)
	}
	// What the manager leaves out because it is zero, it leaves out on both sides.
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefusesWhatItDoesNotKnow(t *testing.T) {
	text := string(golden(t))
	for name, test := range map[string]struct {
		data string
		want contract.RejectedPlan
	}{
		"no JSON": {"sequence: 7", contract.RejectedPlan{Reason: "the plan is not JSON: invalid character 's' looking for beginning of value"}},
		"another schema": {strings.Replace(text, `"schema": 2`, `"schema": 3, "new": 1`, 1), contract.RejectedPlan{
			Sequence: 7, Reason: "schema: 3 is not known, this dispatcher reads 2: bring manager and dispatcher to one version",
		}},
		"an unknown field": {strings.Replace(text, `"weight": 3`, `"wait": 3`, 1), contract.RejectedPlan{
			Sequence: 7, Reason: `the plan cannot be read: json: unknown field "wait"`,
		}},
		"something behind": {text + "{}", contract.RejectedPlan{Reason: "the plan is not JSON: invalid character '{' after top-level value"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan, rejected := Parse([]byte(test.data))
			if plan != nil || rejected == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff(test.want, *rejected); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func oauthClient() *contract.OAuthClientKeys {
	return &contract.OAuthClientKeys{TokenURL: "https://acme.zendesk.com/oauth/tokens", ClientID: "i", ClientSecret: "s", Scopes: []string{"read"}}
}

// onlyOAuth has the plan sign in by client credentials.
func onlyOAuth(change func(*contract.OAuthClientKeys)) func(*contract.Plan) {
	return func(p *contract.Plan) {
		p.Credentials = contract.Credentials{Secret: "s", OAuthClient: oauthClient()}
		change(p.Credentials.OAuthClient)
	}
}

// TestParseTakesEachKindOfOAuth as the manager writes it.
func TestParseTakesEachKindOfOAuth(t *testing.T) {
	for name, c := range map[string]contract.Credentials{
		"client":  {Secret: "s", OAuthClient: oauthClient()},
		"refresh": {Secret: "s", OAuthRefresh: &contract.OAuthRefreshKeys{TokenURL: "https://a:8443/b", ClientID: "i", ClientSecret: "s", RefreshToken: "r"}},
		"jwt":     {Secret: "s", OAuthJWT: &contract.OAuthJWTKeys{TokenURL: "https://a/b", ClientID: "i", PrivateKey: "k", Subject: "u", Audience: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan, rejected := Parse(golden(t))
			if rejected != nil {
				t.Fatal(rejected.Reason)
			}
			plan.Credentials = c
			written, err := json.Marshal(plan)
			if err != nil {
				t.Fatal(err)
			}
			read, rejected := Parse(written)
			if rejected != nil {
				t.Fatal(rejected.Reason)
			}
			if diff := cmp.Diff(c, read.Credentials); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// followedBy has other limits follow, from no time, and nearly all of an hour be guaranteed to one of the integrations.
func followedBy(limits ...contract.Limit) func(*contract.Plan) {
	return func(p *contract.Plan) {
		p.Next = &contract.NextLimits{Limits: limits}
		p.Integrations[0].Share.PerLimit = map[string]contract.Part{"hour": {GuaranteedPercent: 99, MaxPercent: 100}}
		p.Integrations[0].Overrides = nil
	}
}

// TestAPartOfALimitThatFollowsIsTaken, and one of no limit at all is not.
func TestAPartOfALimitThatFollowsIsTaken(t *testing.T) {
	for name, taken := range map[string]bool{"hour": true, "month": false} {
		plan, rejected := Parse(golden(t))
		if rejected != nil {
			t.Fatal(rejected.Reason)
		}
		plan.Next = &contract.NextLimits{From: time.Unix(1_800_000_000, 0), Limits: append([]contract.Limit{{Name: "hour", Calls: 1000, WindowSeconds: 3600}}, plan.Limits...)}
		plan.Integrations[0].Share.PerLimit = map[string]contract.Part{name: {MaxPercent: 50}}
		written, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		if _, rejected := Parse(written); (rejected == nil) != taken {
			t.Errorf("a part of limit %s: %+v", name, rejected)
		}
	}
}

func TestValidateNamesTheFieldAndTheRule(t *testing.T) {
	per := func(per contract.Per) func(*contract.Plan) {
		return func(p *contract.Plan) { p.Limits[5].Costs[0].Per = &per }
	}
	for name, test := range map[string]struct {
		change func(*contract.Plan)
		want   string
	}{
		"next limits from no time":  {followedBy(contract.Limit{Name: "minute", Calls: 1, WindowSeconds: 60}), "next.from: is required"},
		"no next limits":            {followedBy(), "next.limits: there are 0, not 1 to 16"},
		"next limits of nothing":    {followedBy(contract.Limit{Name: "minute", WindowSeconds: 60}), "next.limits[minute].calls: 0 is not between"},
		"next limits that are full": {followedBy(contract.Limit{Name: "hour", Calls: 100, WindowSeconds: 3600}), "next.limits[hour]: the guarantees add up to"},
		"sequence":                  {func(p *contract.Plan) { p.Sequence = 0 }, "sequence: 0 is less than 1"},
		"identity":                  {func(p *contract.Plan) { p.CRM.UID = "" }, "crm: namespace, name and uid are required"},
		"account":                   {func(p *contract.Plan) { p.CRM.Account = "" }, "crm.account: is required"},
		"provider":                  {func(p *contract.Plan) { p.CRM.Provider = "Zen" }, `crm.provider: "Zen" is not known`},
		"endpoint with a path":      {func(p *contract.Plan) { p.Endpoint = "https://a/b" }, `endpoint: "https://a/b" is not a URL of scheme`},
		"endpoint with a user":      {func(p *contract.Plan) { p.Endpoint = "https://u@a" }, `endpoint: "https://u@a" is not a URL of scheme`},
		"endpoint without a scheme": {func(p *contract.Plan) { p.Endpoint = "acme.zendesk.com" }, `endpoint: "acme.zendesk.com" is not a URL of scheme`},
		"network":                   {func(p *contract.Plan) { p.Network = "Home" }, `network: "Home" is neither empty nor Private`},
		"no credentials":            {func(p *contract.Plan) { p.Credentials.Basic = nil }, "credentials: exactly one of"},
		"two kinds of credentials":  {func(p *contract.Plan) { p.Credentials.Bearer = &contract.BearerKeys{Token: "t"} }, "credentials: exactly one of"},
		"a collector with a path":   {func(p *contract.Plan) { p.Tracing = &contract.Tracing{Endpoint: "http://otel:4318/x"} }, `tracing.endpoint: "http://otel:4318/x" is not a URL`},
		"more than all calls traced": {func(p *contract.Plan) {
			p.Tracing = &contract.Tracing{Endpoint: "http://otel:4318", SamplingPercent: 101}
		}, "tracing.samplingPercent: 101 is not between 0 and 100"},
		"an encryption key that leads outside": {func(p *contract.Plan) {
			p.Encryption = &contract.Encryption{Current: "../x", Former: "former"}
		}, `encryption.current: "../x" is not a key`},
		"one key to encrypt with and to rotate": {func(p *contract.Plan) {
			p.Encryption = &contract.Encryption{Current: "key", Former: "key"}
		}, `encryption: current and former must differ`},
		"a key that leads outside": {func(p *contract.Plan) { p.Credentials.Basic.Password = "../x" }, `credentials.basic.password: "../x" is not a key`},
		"a header with a space": {func(p *contract.Plan) {
			p.Credentials = contract.Credentials{Header: &contract.HeaderKeys{Header: "X Key", Value: "v"}}
		}, `credentials.header.header: "X Key" is not the name`},
		"a scheme with a space":             {func(p *contract.Plan) { p.Credentials.Scheme = "Bearer x" }, `credentials.scheme: "Bearer x" is not a scheme`},
		"client credentials and basic ones": {func(p *contract.Plan) { p.Credentials.OAuthClient = oauthClient() }, "credentials: exactly one of"},
		"a token URL that is none":          {onlyOAuth(func(c *contract.OAuthClientKeys) { c.TokenURL = "acme.test/token" }), `credentials.oauthClient.tokenURL: "acme.test/token" is not a URL`},
		"a token URL with a user":           {onlyOAuth(func(c *contract.OAuthClientKeys) { c.TokenURL = "https://u@a/b" }), `credentials.oauthClient.tokenURL: "https://u@a/b" is not a URL`},
		"a token URL in plain http":         {onlyOAuth(func(c *contract.OAuthClientKeys) { c.TokenURL = "http://a/b" }), `credentials.oauthClient.tokenURL: "http://a/b" is plain http`},
		"a client's secret outside":         {onlyOAuth(func(c *contract.OAuthClientKeys) { c.ClientSecret = "../x" }), `credentials.oauthClient.clientSecret: "../x" is not a key`},
		"a scope with a space":              {onlyOAuth(func(c *contract.OAuthClientKeys) { c.Scopes = []string{"a b"} }), `credentials.oauthClient.scopes: "a b" is not a scope`},
		"scopes without end":                {onlyOAuth(func(c *contract.OAuthClientKeys) { c.Scopes = make([]string, 21) }), "credentials.oauthClient.scopes: there are 21, more than 20"},
		"a refresh token without a URL": {func(p *contract.Plan) {
			p.Credentials = contract.Credentials{OAuthRefresh: &contract.OAuthRefreshKeys{ClientID: "i", ClientSecret: "s", RefreshToken: "r"}}
		}, `credentials.oauthRefresh.tokenURL: "" is not a URL`},
		"assertions without a subject": {func(p *contract.Plan) {
			p.Credentials = contract.Credentials{OAuthJWT: &contract.OAuthJWTKeys{TokenURL: "https://a/b", ClientID: "i", PrivateKey: "k"}}
		}, `credentials.oauthJWT.subject: "" is not a key`},
		"intake URL":            {func(p *contract.Plan) { p.Intake.URL = "" }, `intake.url: "" is not a URL`},
		"intake host":           {func(p *contract.Plan) { p.Intake.Hosts[1] = "a b" }, `intake.hosts[1]: "a b" is neither`},
		"plain with Secret":     {func(p *contract.Plan) { p.Intake.PlainHTTP, p.Intake.CertificateFromSecret = true, true }, "intake: plainHTTP and certificateFromSecret exclude"},
		"issuer keys":           {func(p *contract.Plan) { p.TokenIssuers[0].Keys = []byte(`"x"`) }, `tokenIssuers: keys of token issuer "https://kubernetes`},
		"no limits":             {func(p *contract.Plan) { p.Limits = nil }, "limits: there are 0, not 1 to 16"},
		"a limit's name":        {func(p *contract.Plan) { p.Limits[1].Name = "minute" }, "limits[minute]: names must be set and differ"},
		"a limit's calls":       {func(p *contract.Plan) { p.Limits[0].Calls = 0 }, "limits[minute].calls: 0 is not between 1 and 1000000000"},
		"a limit's window":      {func(p *contract.Plan) { p.Limits[0].WindowSeconds = 2678401 }, "limits[minute].windowSeconds: 2678401 is not between"},
		"a limit's time zone":   {func(p *contract.Plan) { p.Limits[1].Calendar.TimeZone = "Europe/Nowhere" }, `limits[day].calendar.timeZone: "Europe/Nowhere" is not a time zone`},
		"the machine's zone":    {func(p *contract.Plan) { p.Limits[1].Calendar.TimeZone = "Local" }, `limits[day].calendar.timeZone: "Local" is not a time zone`},
		"a limit's period":      {func(p *contract.Plan) { p.Limits[1].Calendar.Unit = "Week" }, `limits[day].calendar.unit: "Week" is not Hour, Day or Month`},
		"a limit's slots":       {func(p *contract.Plan) { p.Limits[2].Concurrent = 10001 }, "limits[inflight].concurrent: 10001 is not between"},
		"slots and calls":       {func(p *contract.Plan) { p.Limits[2].Calls = 1 }, "limits[inflight]: calls and executionSeconds must not be set"},
		"slots and execution":   {func(p *contract.Plan) { p.Limits[2].ExecutionSeconds = 1 }, "limits[inflight]: calls and executionSeconds must not be set"},
		"execution and calls":   {func(p *contract.Plan) { p.Limits[6].Calls = 1 }, "limits[execution].calls: must not be set"},
		"execution":             {func(p *contract.Plan) { p.Limits[6].ExecutionSeconds = 10000001 }, "limits[execution].executionSeconds: 10000001 is not between"},
		"jobs in a window":      {func(p *contract.Plan) { p.Limits[0].UntilJobEnds = true }, "limits[minute].untilJobEnds: is only for concurrent"},
		"two kinds of limit":    {func(p *contract.Plan) { p.Limits[0].Calendar = p.Limits[1].Calendar }, "limits[minute]: exactly one of"},
		"no kind of limit":      {func(p *contract.Plan) { p.Limits[0].WindowSeconds = 0 }, "limits[minute]: exactly one of"},
		"a guard":               {func(p *contract.Plan) { p.Limits[5].GuardSeconds = 601 }, "limits[tokens].guardSeconds: 601 is not between 0 and 600"},
		"a guard of slots":      {func(p *contract.Plan) { p.Limits[2].GuardSeconds = 1 }, "limits[inflight].guardSeconds: must not be set"},
		"whose word holds":      {func(p *contract.Plan) { p.LimitSource = "Guess" }, `limitSource: "Guess" is not Declared`},
		"a way of counting":     {func(p *contract.Plan) { p.Limits[0].Counting = "Guess" }, `limits[minute].counting: "Guess" is not Exact`},
		"estimated execution":   {func(p *contract.Plan) { p.Limits[6].Counting = contract.CountingApproximate }, "limits[execution].counting: Approximate is only for limits of calls"},
		"estimated records":     {func(p *contract.Plan) { p.Limits[4].Counting = contract.CountingApproximate }, "limits[per-ticket].counting: Approximate is only for limits of calls"},
		"an estimated day":      {func(p *contract.Plan) { p.Limits[1].Counting = contract.CountingApproximate }, "limits[day].counting: Approximate is only for windowSeconds"},
		"a bucket's burst":      {func(p *contract.Plan) { p.Limits[5].Burst = 1001 }, "limits[tokens].burst: 1001 is not between 1 and 1000"},
		"a burst alone":         {func(p *contract.Plan) { p.Limits[0].Burst = 5 }, "limits[minute].burst: is only for counting TokenBucket"},
		"records, credentials":  {func(p *contract.Plan) { p.Limits[4].PerCredential = true }, "limits[per-ticket]: perRecord and perCredential exclude"},
		"records in a day":      {func(p *contract.Plan) { p.Limits[1].PerRecord = true }, "limits[day].perRecord: is only for calls in windowSeconds"},
		"records without match": {func(p *contract.Plan) { p.Limits[4].Match = nil }, `limits[per-ticket].perRecord: needs match.path with a "*"`},
		"records behind **":     {func(p *contract.Plan) { p.Limits[4].Match.Path = "/api/**" }, `limits[per-ticket].perRecord: needs match.path with a "*"`},
		"an empty match":        {func(p *contract.Plan) { *p.Limits[4].Match = contract.Match{} }, "limits[per-ticket].match: either operations or path"},
		"methods alone":         {func(p *contract.Plan) { p.Limits[3].Match.Methods = []string{"PUT"} }, "limits[jobs].match.methods: need a path"},
		"a relative path":       {func(p *contract.Plan) { p.Limits[4].Match.Path = "api/*" }, `limits[per-ticket].match.path: "api/*" is not absolute`},
		"a limit's operation":   {func(p *contract.Plan) { p.Limits[3].Match.Operations[0] = "Fly" }, `limits[jobs].match.operations: "Fly" is not an operation of Zendesk`},
		"many costs":            {func(p *contract.Plan) { p.Limits[5].Costs = make([]contract.Cost, 33) }, "limits[tokens].costs: there are 33, more than 32"},
		"costs of slots":        {func(p *contract.Plan) { p.Limits[2].Costs = p.Limits[5].Costs[:1] }, "limits[inflight].costs: are only for limits with calls"},
		"a cost's match":        {func(p *contract.Plan) { p.Limits[5].Costs[1].Match.Path = "" }, "limits[tokens].costs[1].match: either operations or path"},
		"a cost":                {func(p *contract.Plan) { p.Limits[5].Costs[0].Cost = 0 }, "limits[tokens].costs[0].cost: 0 is not between 1 and 1000"},
		"a cost of two things":  {per(contract.Per{BodyArray: "a", QueryList: "b", Items: 1, Most: 1}), "limits[tokens].costs[0].per: exactly one of"},
		"a cost of nothing":     {per(contract.Per{Items: 1, Most: 1}), "limits[tokens].costs[0].per: exactly one of"},
		"a cost per no items":   {per(contract.Per{BodyArray: "a", Most: 1}), "limits[tokens].costs[0].per.items: 0 is not between 1 and 10000"},
		"a cost without a most": {per(contract.Per{QueryNumber: "a", Items: 1}), "limits[tokens].costs[0].per.most: 0 is not between 1 and 1000"},
		"a cost of many kinds":  {per(contract.Per{QueryList: "a", Items: 2, Most: 2001}), "limits[tokens].costs[0].per.most: 2001 is not between 1 and 2000"},
		"a negative plus":       {per(contract.Per{QueryList: "a", Items: 2, Most: 2, Plus: -1}), "limits[tokens].costs[0].per.plus: -1 is not between 0 and 100000"},
		"a cost over the burst": {func(p *contract.Plan) { p.Limits[5].Costs[0].Cost = 101 }, "limits[tokens].costs[0].cost: 101 is more than the burst of 100"},
		"how often to ask":      {func(p *contract.Plan) { p.UsageSeconds = 86401 }, "usageSeconds: 86401 is not between 0 and 86400"},
		"Observe that enforces": {func(p *contract.Plan) { p.Observe = true }, "observe: excludes enforce"},
		"what others get":       {func(p *contract.Plan) { p.ExternalPercent = 91 }, "externalPercent: 91 is not between 0 and 90"},
		"a server's delay":      {func(p *contract.Plan) { p.MaxServerDelaySeconds = 3601 }, "maxServerDelaySeconds: 3601 is not between 0 and 3600"},
		"after a loss":          {func(p *contract.Plan) { p.Ledger.AfterLoss = "ProRata" }, `ledger.afterLoss: "ProRata" is not`},
		"a loss of nothing":     {func(p *contract.Plan) { p.Ledger.Volume = "" }, "ledger.lost: needs two volumes"},
		"a loss of itself":      {func(p *contract.Plan) { p.Ledger.Volume = "v2" }, "ledger.lost: needs two volumes"},
		"when it was lost":      {func(p *contract.Plan) { p.Ledger.Lost.At = time.Time{} }, "ledger.lost.at: is required"},
		"less than nothing":     {func(p *contract.Plan) { p.Ledger.Lost.Used["day"] = -1 }, "ledger.lost.used[day]: -1 is negative"},
		"too much guaranteed": {func(p *contract.Plan) {
			p.Integrations[1].Share.PerLimit["minute"] = contract.Part{GuaranteedCalls: new(int64(281)), MaxPercent: 50}
		}, "limits[minute]: the guarantees add up to 401 of 400"},
		"too much for others": {func(p *contract.Plan) {
			p.Integrations[2].Share.GuaranteedPercent, p.Integrations[1].Share.PerLimit = 91, nil
		}, "limits[minute]: the guarantees add up to 404 of 400"},
		"an integration twice": {func(p *contract.Plan) { p.Integrations[1].Name = "ccai" }, "integrations[contact-centre/ccai]: is there twice"},
		"an integration's uid": {func(p *contract.Plan) { p.Integrations[1].UID = "" }, "integrations[contact-centre/etl]: namespace, name and uid"},
		"a share's percentage": {func(p *contract.Plan) { p.Integrations[0].Share.GuaranteedPercent = 101 }, "integrations[contact-centre/ccai].share.guaranteedPercent: 101 is not"},
		"a share's maximum":    {func(p *contract.Plan) { p.Integrations[0].Share.MaxPercent = 0 }, ".share.maxPercent: 0 is not between 1 and 100"},
		"a share's loan":       {func(p *contract.Plan) { p.Integrations[0].Share.LendPercent = -1 }, ".share.lendPercent: -1 is not"},
		"a share's weight":     {func(p *contract.Plan) { p.Integrations[0].Share.Weight = 0 }, ".share.weight: 0 is not between 1 and 1000"},
		"a share's limit":      {func(p *contract.Plan) { p.Integrations[1].Share.PerLimit["hour"] = contract.Part{MaxPercent: 1} }, `.share.perLimit: there is no limit "hour" that is shared out`},
		"a record's limit":     {func(p *contract.Plan) { p.Integrations[1].Share.PerLimit["per-ticket"] = contract.Part{MaxPercent: 1} }, `.share.perLimit: there is no limit "per-ticket"`},
		"a part's guarantee": {func(p *contract.Plan) {
			p.Integrations[1].Share.PerLimit["minute"] = contract.Part{MaxPercent: 1, GuaranteedCalls: new(int64(-1))}
		}, ".share.perLimit[minute].guaranteedCalls: -1 is not between 0"},
		"a part's maximum": {func(p *contract.Plan) {
			p.Integrations[1].Share.PerLimit["minute"] = contract.Part{MaxPercent: 1, MaxCalls: new(int64(0))}
		}, ".share.perLimit[minute].maxCalls: 0 is not between 1"},
		"many overrides":        {func(p *contract.Plan) { p.Integrations[0].Overrides = make([]contract.Override, 17) }, ".overrides: there are 17, more than 16"},
		"an override's share":   {func(p *contract.Plan) { p.Integrations[0].Overrides[0].Share.Weight = 0 }, ".overrides[campaign].share.weight: 0 is not between"},
		"an override's end":     {func(p *contract.Plan) { p.Integrations[0].Overrides[0].Until = nil }, ".overrides: override campaign: either from and until, or weekly"},
		"an override's hours":   {func(p *contract.Plan) { p.Integrations[0].Overrides[1].Weekly.End = "25:00" }, `.overrides: override night: weekly.end: "25:00"`},
		"an override's zone":    {func(p *contract.Plan) { p.Integrations[0].Overrides[1].Weekly.TimeZone = "Local" }, `.overrides: override night: weekly.timeZone: unknown time zone "Local"`},
		"a priority":            {func(p *contract.Plan) { p.Integrations[0].Priority = "" }, `.priority: "" is not Interactive, Standard or Bulk`},
		"an external's client":  {func(p *contract.Plan) { p.Integrations[0].External = true }, "integrations[contact-centre/ccai].clients: must not be set for an external"},
		"an urgency":            {func(p *contract.Plan) { p.Integrations[0].MostUrgent = -4 }, ".mostUrgent: -4 is not between -3 and 0"},
		"a lack of urgency":     {func(p *contract.Plan) { p.Integrations[0].LeastUrgent = 5 }, ".leastUrgent: 5 is not between 0 and 4"},
		"default policy":        {func(p *contract.Plan) { p.Integrations[0].Default = contract.Queued }, `.default: "Queue" is neither Wait nor Reject`},
		"waiting":               {func(p *contract.Plan) { p.Integrations[0].WaitSeconds = 301 }, ".waitSeconds: 301 is not between 0 and 300"},
		"queue length":          {func(p *contract.Plan) { p.Integrations[0].Queue.MaxCalls = 100001 }, ".queue.maxCalls: 100001 is not"},
		"queue bytes":           {func(p *contract.Plan) { p.Integrations[0].Queue.MaxBytes = -1 }, ".queue.maxBytes: -1 is not"},
		"queue age":             {func(p *contract.Plan) { p.Integrations[0].Queue.MaxAgeSeconds = 0 }, ".queue.maxAgeSeconds: 0 is not"},
		"an operation":          {func(p *contract.Plan) { p.Integrations[0].Operations[0].Operation = "Fly" }, `.operations[0].operation: "Fly" is not an operation of Zendesk`},
		"an operation's policy": {func(p *contract.Plan) { p.Integrations[0].Operations[0].Policy = "Drop" }, `.operations[0].policy: "Drop" is not`},
		"operation and path":    {func(p *contract.Plan) { p.Integrations[0].Operations[0].Path = "/x" }, ".operations[0]: either operation, or"},
		"a path alone":          {func(p *contract.Plan) { p.Integrations[0].Operations[1].Methods = nil }, ".operations[1]: methods and an absolute path"},
		"an answer of a write": {func(p *contract.Plan) {
			p.Integrations[0].CachedReads = []contract.CachedRead{{Operation: "CreateTicket", Seconds: 1}}
		}, `.cachedReads[0].operation: "CreateTicket" is not an operation of Zendesk that only reads`},
		"an answer of nothing": {func(p *contract.Plan) { p.Integrations[0].CachedReads = []contract.CachedRead{{Seconds: 1}} }, ".cachedReads[0]: either operation or path"},
		"an answer for ever": {func(p *contract.Plan) {
			p.Integrations[0].CachedReads = []contract.CachedRead{{Path: "x", Seconds: 1e6}}
		}, ".cachedReads[0].seconds: "},
		"merging at times": {func(p *contract.Plan) { p.Integrations[0].Batching = &contract.Batching{Mode: "Often"} }, ".batching.mode: "},
		"merging one":      {func(p *contract.Plan) { p.Integrations[0].Batching = &contract.Batching{Mode: "Always", MaxItems: 1} }, ".batching.maxItems: one"},
		"lingering for long": {func(p *contract.Plan) {
			p.Integrations[0].Batching = &contract.Batching{Mode: "Always", MaxLingerSeconds: 61}
		}, ".maxLingerSeconds: "},
		"merging searches": {func(p *contract.Plan) {
			p.Integrations[0].Batching = &contract.Batching{Mode: contract.BatchAlways, Operations: []string{"Search"}}
		}, `.batching.operations[0]: "Search" is not`},
		"queued reads":       {func(p *contract.Plan) { p.Integrations[0].Operations[1].Policy = contract.Queued }, ".operations[1].policy: Queue is not for"},
		"a queued search":    {func(p *contract.Plan) { p.Integrations[0].Operations[0].Operation = "Search" }, ".operations[0].policy: Queue is not for"},
		"a client's name":    {func(p *contract.Plan) { p.Integrations[0].Clients[0].Name = "" }, ".clients[]: names must be set"},
		"a client's kind":    {func(p *contract.Plan) { p.Integrations[0].Clients[0].ServiceAccount = "" }, ".clients[adapter]: exactly one of"},
		"a client's account": {func(p *contract.Plan) { p.Integrations[0].Clients[0].ServiceAccount = "root" }, `.clients[adapter].serviceAccount: "root" is not`},
		"a client's hash":    {func(p *contract.Plan) { p.Integrations[1].Clients[0].APIKeySHA256[0] = "ABC" }, `.clients[job].apiKeySHA256: "ABC" is not`},
		"a shared account": {func(p *contract.Plan) { p.Integrations[1].Clients[0] = p.Integrations[0].Clients[0] },
			"integrations[contact-centre/etl].clients[adapter]: has the same key or service account as integrations[contact-centre/ccai].clients[adapter]"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, rejected := Parse(golden(t))
			if rejected != nil {
				t.Fatal(rejected.Reason)
			}
			test.change(plan)
			if err := validate(plan); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestManyProblemsAreCutShort(t *testing.T) {
	err := validate(new(contract.Plan))
	if err == nil || !strings.HasSuffix(err.Error(), " more") || strings.Count(err.Error(), ";") != maxNamed {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(golden(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		if plan, rejected := Parse(data); (plan == nil) == (rejected == nil) {
			t.Errorf("plan %v, rejected %v", plan, rejected)
		}
	})
}

func TestCredentialsOfIntegrationsAreChecked(t *testing.T) {
	good := contract.Credentials{Own: true, Secret: "marketing", Bearer: &contract.BearerKeys{Token: "token"}}
	for name, c := range map[string]struct {
		edit func(*contract.Credentials)
		want string
	}{
		"good":              {func(*contract.Credentials) {}, ""},
		"the CRM's":         {func(c *contract.Credentials) { c.Own = false }, "credentials.secret: \"marketing\" is not the name of a Secret of an integration's own"},
		"a path":            {func(c *contract.Credentials) { c.Secret = "../credentials" }, "is not the name of a Secret"},
		"no name":           {func(c *contract.Credentials) { c.Secret = "" }, "is not the name of a Secret"},
		"no kind":           {func(c *contract.Credentials) { c.Bearer = nil }, ".credentials: exactly one of basic, "},
		"a key with a path": {func(c *contract.Credentials) { c.Bearer = &contract.BearerKeys{Token: "../x"} }, ".credentials.bearer.token: \"../x\" is not a key of a Secret"},
		"tokens in clear text": {func(c *contract.Credentials) {
			c.Bearer, c.OAuthClient = nil, &contract.OAuthClientKeys{TokenURL: "http://acme.test/token", ClientID: "i", ClientSecret: "s"}
		}, ".credentials.oauthClient.tokenURL: \"http://acme.test/token\" is plain http and the endpoint is not"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, rejected := Parse(golden(t))
			if rejected != nil {
				t.Fatal(rejected.Reason)
			}
			own := good
			c.edit(&own)
			plan.Integrations[0].Credentials = &own
			err := validate(plan)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

func TestClientsWithCredentialsOfTheCRMAreChecked(t *testing.T) {
	hash := func(digit string) []string { return []string{strings.Repeat(digit, 64)} }
	for name, c := range map[string]struct {
		edit func(*contract.Integration)
		want string
	}{
		"good":         {func(*contract.Integration) {}, ""},
		"no hash":      {func(i *contract.Integration) { i.Clients[0].CRMCredentialSHA256 = []string{"secret"} }, "is not a SHA-256 hash"},
		"two kinds":    {func(i *contract.Integration) { i.Clients[0].APIKeySHA256 = hash("c") }, "exactly one of serviceAccount, apiKeySHA256, crmCredentialSHA256 must be set"},
		"the same one": {func(i *contract.Integration) { i.Clients[1].CRMCredentialSHA256 = hash("a") }, "has the same key or service account as"},
		"one does not": {func(i *contract.Integration) { i.Clients[1] = contract.Client{Name: "b", APIKeySHA256: hash("b")} }, "crmCredentialSHA256 must be set for all or for none"},
		"and its own": {func(i *contract.Integration) {
			i.Credentials = &contract.Credentials{Own: true, Secret: "s", Bearer: &contract.BearerKeys{Token: "t"}}
		}, "credentials: must not be set where clients bring their own"},
		"calls queued": {func(i *contract.Integration) {
			i.Operations = []contract.OperationOverflow{{Methods: []string{"POST"}, Path: "/x", Policy: contract.Queued}}
		}, "Queue is not for calls whose clients bring their own credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, rejected := Parse(golden(t))
			if rejected != nil {
				t.Fatal(rejected.Reason)
			}
			i := &plan.Integrations[0]
			i.Operations = nil
			i.Clients = []contract.Client{{Name: "a", CRMCredentialSHA256: hash("a")}, {Name: "b", CRMCredentialSHA256: hash("b")}}
			c.edit(i)
			err := validate(plan)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}
