// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

const validCRM = `
apiVersion: crmquota.dev/v1alpha1
kind: CRM
metadata: {name: zendesk}
spec:
  provider: Zendesk
  endpoint: https://acme.zendesk.com
  credentials: {basic: {secretRef: {name: zendesk-api}}}
  licence:
    limits:
    - {name: minute, calls: 400, windowSeconds: 60}
    - {name: day, calls: 2500, calendar: {unit: Day, timeZone: Europe/Berlin}}
    - {name: inflight, concurrent: 20}
`

func TestCRMNamesAndEndpoint(t *testing.T) {
	const nameRule = "metadata.name must start with a letter"
	const endpointRule = "spec.endpoint in body should match"
	judge(t, validCRM, map[string]verdict{
		"the valid manifest is taken":                  {edits{}, ""},
		"a name of one letter is taken":                {edits{"metadata.name": "z"}, ""},
		"a name of 37 characters is taken":             {edits{"metadata.name": strings.Repeat("z", 37)}, ""},
		"a name of 38 characters is refused":           {edits{"metadata.name": strings.Repeat("z", 38)}, nameRule},
		"a name that starts with a digit is refused":   {edits{"metadata.name": "1acme"}, nameRule},
		"a name with a dot is refused":                 {edits{"metadata.name": "acme.eu"}, nameRule},
		"a provider that nobody wrote is refused":      {edits{"spec.provider": "Siebel"}, `spec.provider: Unsupported value: "Siebel": supported values: "Zendesk", "Salesforce"`},
		"a missing provider is refused":                {edits{"spec.provider": nil}, "spec.provider: Required value"},
		"plain http with a port is taken":              {edits{"spec.endpoint": "http://crmsim.demo.svc:8080"}, ""},
		"an endpoint with a path is refused":           {edits{"spec.endpoint": "https://acme.zendesk.com/api"}, endpointRule},
		"an endpoint with a trailing slash is refused": {edits{"spec.endpoint": "https://acme.zendesk.com/"}, endpointRule},
		"an endpoint with user information is refused": {edits{"spec.endpoint": "https://me:secret@acme.zendesk.com"}, endpointRule},
		"an endpoint of another protocol is refused":   {edits{"spec.endpoint": "ftp://acme.zendesk.com"}, endpointRule},
		"an endpoint with capitals is refused":         {edits{"spec.endpoint": "https://Acme.zendesk.com"}, endpointRule},
		"an endpoint that is too short is refused":     {edits{"spec.endpoint": "http://a"}, "should be at least 10 chars long"},
		"an endpoint of 301 characters is refused":     {edits{"spec.endpoint": "https://" + strings.Repeat("a", 293)}, "may not be more than 300"},
		"a missing endpoint is refused":                {edits{"spec.endpoint": nil}, "spec.endpoint: Required value"},
		"enforcement Shadow is taken":                  {edits{"spec.enforcement": "Shadow"}, ""},
		"enforcement Observe is taken":                 {edits{"spec.enforcement": "Observe"}, ""},
		"enforcement that does not exist is refused":   {edits{"spec.enforcement": "Watch"}, `spec.enforcement: Unsupported value: "Watch"`},
		"Observe of a CRM that tells nothing":          {edits{"spec.enforcement": "Observe", "spec.provider": "Dynamics365", "spec.licence.account": "a"}, "enforcement: Observe is only for CRMs that tell what is used of their limits"},
		"Observe that never asks":                      {edits{"spec.enforcement": "Observe", "spec.usage": map[string]any{"intervalSeconds": 0}}, "usage.intervalSeconds must not be 0 with enforcement: Observe"},
		"usage that is never asked for is taken":       {edits{"spec.usage": map[string]any{"intervalSeconds": 0}}, ""},
		"usage once a day is taken":                    {edits{"spec.usage": map[string]any{"intervalSeconds": 86400}}, ""},
		"usage more seldom is refused":                 {edits{"spec.usage": map[string]any{"intervalSeconds": 86401}}, "should be less than or equal to 86400"},
		"usage without an interval is refused":         {edits{"spec.usage": map[string]any{}}, "should have at least 1 properties"},
		"dispatch Hold is taken":                       {edits{"spec.dispatch": "Hold"}, ""},
		"dispatch Drain is taken":                      {edits{"spec.dispatch": "Drain"}, ""},
		"dispatch that does not exist is refused":      {edits{"spec.dispatch": "Stop"}, `spec.dispatch: Unsupported value: "Stop"`},
		"calls that are a word are refused":            {edits{"spec.licence.limits[0].calls": "many"}, "must be of type integer"},
	})
}

func TestCRMNetwork(t *testing.T) {
	const private = "endpoint is an address of a private network, which is called with network: Private only"
	const never = "endpoint is an address to which no connection is ever made"
	at := func(address, network string) edits {
		return edits{"spec.endpoint": "http://" + address, "spec.network": network, "spec.licence.account": "a"}
	}
	judge(t, validCRM, map[string]verdict{
		"a network that does not exist is refused":        {edits{"spec.network": "Home"}, `spec.network: Unsupported value: "Home"`},
		"a public address is taken":                       {at("192.0.1.7:8080", "Public"), ""},
		"a private address in a private network":          {at("10.1.2.3:8080", "Private"), ""},
		"loopback in a private network is taken":          {at("127.0.0.1:8080", "Private"), ""},
		"a private address in the public one":             {at("10.1.2.3:8080", "Public"), private},
		"a private address where nothing is said":         {edits{"spec.endpoint": "https://192.168.1.1"}, private},
		"loopback in the public network is refused":       {at("127.0.0.1", "Public"), private},
		"a carrier's address in the public one":           {at("100.64.0.1", "Public"), private},
		"the metadata service is refused in any":          {at("169.254.169.254", "Private"), never},
		"no machine's address is refused":                 {at("0.0.0.0:80", "Private"), never},
		"a host name that begins like one is not one":     {at("10.1.2.3.example", "Public"), ""},
		"a name in the cluster is left to the dispatcher": {edits{"spec.endpoint": "http://crmsim.demo.svc:8080"}, ""},
	})
}

func TestCRMCredentials(t *testing.T) {
	const exactlyOne = "exactly one of the fields in [basic bearer header oauthClient oauthRefresh oauthJWT] must be set"
	secret := map[string]any{"name": "s"}
	bearer := map[string]any{"secretRef": secret}
	header := func(name string) map[string]any { return map[string]any{"name": name, "secretRef": secret} }
	judge(t, validCRM, map[string]verdict{
		"bearer alone is taken":                     {edits{"spec.credentials": map[string]any{"bearer": bearer}}, ""},
		"header alone is taken":                     {edits{"spec.credentials": map[string]any{"header": header("X-Api-Key")}}, ""},
		"no credentials are refused":                {edits{"spec.credentials": nil}, "spec.credentials: Required value"},
		"no kind of credentials is refused":         {edits{"spec.credentials": map[string]any{}}, exactlyOne},
		"two kinds of credentials are refused":      {edits{"spec.credentials.bearer": bearer}, exactlyOne},
		"a header name with a space is refused":     {edits{"spec.credentials": map[string]any{"header": header("Api Key")}}, "spec.credentials.header.name in body should match"},
		"a header name of 65 characters is refused": {edits{"spec.credentials": map[string]any{"header": header(strings.Repeat("x", 65))}}, "may not be more than 64"},
		"a header without a name is refused":        {edits{"spec.credentials": map[string]any{"header": bearer}}, "spec.credentials.header.name: Required value"},
		"a reference without a name is refused":     {edits{"spec.credentials.basic.secretRef": map[string]any{}}, "spec.credentials.basic.secretRef.name: Required value"},
		"a reference with an empty name is refused": {edits{"spec.credentials.basic.secretRef.name": ""}, "should be at least 1 chars long"},
		"a reference of 254 characters is refused":  {edits{"spec.credentials.basic.secretRef.name": strings.Repeat("s", 254)}, "may not be more than 253"},
		"key names of today's Secret are taken":     {edits{"spec.credentials.basic.usernameKey": "ZENDESK_USER", "spec.credentials.basic.passwordKey": "api.token"}, ""},
		"a key name that climbs out is refused":     {edits{"spec.credentials.basic.usernameKey": "../x"}, "spec.credentials.basic.usernameKey in body should match"},
		"an empty key name is refused":              {edits{"spec.credentials.basic.usernameKey": ""}, "should be at least 1 chars long"},
	})
}

func TestCRMOAuthCredentials(t *testing.T) {
	const tokenURL = "https://login.acme.test/oauth/token"
	const needsURL, needsHTTPS = "tokenURL is required: it follows from the endpoint for", "tokenURL must be https unless the endpoint is plain http itself"
	kind := func(name string, fields map[string]any) map[string]any {
		fields["secretRef"] = map[string]any{"name": "s"}
		return map[string]any{name: fields}
	}
	generic := func(credentials map[string]any) edits {
		return edits{"spec.provider": "Generic", "spec.licence.account": "acme", "spec.endpoint": "https://api.acme.test", "spec.credentials": credentials}
	}
	plain := func(credentials map[string]any) edits {
		return edits{"spec.endpoint": "http://crmsim.demo.svc:8080", "spec.credentials": credentials}
	}
	jwt := func(field string, value any) edits {
		return edits{"spec.credentials": kind("oauthJWT", map[string]any{"tokenURL": tokenURL, field: value})}
	}
	of := func(provider string) edits {
		return edits{
			"spec.provider": provider, "spec.licence.account": "acme", "spec.endpoint": "https://acme.test", "spec.credentials": kind("oauthRefresh", map[string]any{}),
		}
	}
	judge(t, validCRM, map[string]verdict{
		"Salesforce has its token URL at the endpoint":      {of("Salesforce"), ""},
		"HubSpot has its token URL at the endpoint":         {of("HubSpot"), ""},
		"ServiceNow has its token URL at the endpoint":      {of("ServiceNow"), ""},
		"Dynamics365 has it elsewhere":                      {of("Dynamics365"), needsURL},
		"ZohoCRM has it elsewhere":                          {of("ZohoCRM"), needsURL},
		"Pipedrive has it elsewhere":                        {of("Pipedrive"), needsURL},
		"client credentials of Zendesk need no token URL":   {edits{"spec.credentials": kind("oauthClient", map[string]any{})}, ""},
		"a refresh token of Zendesk needs no token URL":     {edits{"spec.credentials": kind("oauthRefresh", map[string]any{})}, ""},
		"client credentials of another CRM need one":        {generic(kind("oauthClient", map[string]any{})), needsURL},
		"a refresh token of another CRM needs one":          {generic(kind("oauthRefresh", map[string]any{})), needsURL},
		"with one they are taken":                           {generic(kind("oauthRefresh", map[string]any{"tokenURL": tokenURL})), ""},
		"a JWT always needs one":                            {edits{"spec.credentials": kind("oauthJWT", map[string]any{})}, "spec.credentials.oauthJWT.tokenURL: Required value"},
		"with one it is taken":                              {jwt("audience", "https://login.salesforce.com"), ""},
		"plain http is refused for client credentials":      {edits{"spec.credentials": kind("oauthClient", map[string]any{"tokenURL": "http://a.test/token"})}, needsHTTPS},
		"plain http is refused for a refresh token":         {edits{"spec.credentials": kind("oauthRefresh", map[string]any{"tokenURL": "http://a.test/token"})}, needsHTTPS},
		"plain http is refused for a JWT":                   {jwt("tokenURL", "http://a.test/token"), needsHTTPS},
		"plain http is taken where the endpoint is, too":    {plain(kind("oauthClient", map[string]any{"tokenURL": "http://crmsim.demo.svc:8080/oauth/tokens"})), ""},
		"a token URL without a path is refused":             {jwt("tokenURL", "https://login.acme.test"), "tokenURL in body should match"},
		"a token URL with a query is refused":               {jwt("tokenURL", tokenURL+"?a=b"), "tokenURL in body should match"},
		"a token URL with user information is refused":      {jwt("tokenURL", "https://me:pw@login.acme.test/token"), "tokenURL in body should match"},
		"scopes are taken":                                  {jwt("scopes", []any{"api", "tickets:write"}), ""},
		"a scope with a space is refused":                   {jwt("scopes", []any{"api read"}), "scopes[0] in body should match"},
		"a scope twice is refused":                          {jwt("scopes", []any{"api", "api"}), "Duplicate value"},
		"an empty list of scopes is refused":                {jwt("scopes", []any{}), "should have at least 1 items"},
		"an empty audience is refused":                      {jwt("audience", ""), "should be at least 1 chars long"},
		"a key name that climbs out is refused":             {jwt("privateKeyKey", "../x"), "privateKeyKey in body should match"},
		"an OAuth kind and another at the same are refused": {edits{"spec.credentials.oauthClient": map[string]any{"secretRef": map[string]any{"name": "s"}}}, "exactly one of the fields in"},
	})
}

func TestCRMLicenceAccount(t *testing.T) {
	const required = "licence.account is required: it follows from the endpoint for"
	at := func(provider, endpoint string) edits {
		return edits{"spec.provider": provider, "spec.endpoint": endpoint}
	}
	judge(t, validCRM, map[string]verdict{
		"Generic without an account is refused":        {edits{"spec.provider": "Generic"}, required},
		"Generic with an account is taken":             {edits{"spec.provider": "Generic", "spec.licence.account": "acme"}, ""},
		"a My Domain tells the account":                {at("Salesforce", "https://acme.my.salesforce.com"), ""},
		"an organisation's host tells the account":     {at("Dynamics365", "https://acme.crm4.dynamics.com"), ""},
		"an instance tells the account":                {at("ServiceNow", "https://acme.service-now.com"), ""},
		"a Freshdesk subdomain tells the account":      {at("Freshdesk", "https://acme.freshdesk.com"), ""},
		"a Pipedrive subdomain tells the account":      {at("Pipedrive", "https://acme.pipedrive.com"), ""},
		"Pipedrive's host for all does not":            {at("Pipedrive", "https://api.pipedrive.com"), required},
		"nor with a port":                              {at("Pipedrive", "https://api.pipedrive.com:443"), required},
		"HubSpot's host does not":                      {at("HubSpot", "https://api.hubapi.com"), required},
		"Zoho's host does not":                         {at("ZohoCRM", "https://www.zohoapis.eu"), required},
		"Intercom's host does not":                     {at("Intercom", "https://api.intercom.io"), required},
		"Kustomer's host does not":                     {at("Kustomer", "https://api.kustomerapp.com"), required},
		"Zendesk with an account of its own is taken":  {edits{"spec.licence.account": "Acme_1.eu"}, ""},
		"an account that starts with a dot is refused": {edits{"spec.licence.account": ".acme"}, "spec.licence.account in body should match"},
		"an account of 253 characters is taken":        {edits{"spec.licence.account": strings.Repeat("a", 253)}, ""},
		"an account of 254 characters is refused":      {edits{"spec.licence.account": strings.Repeat("a", 254)}, "may not be more than 253"},
	})
	judgeUpdate(t, validCRM, edits{"spec.provider": "Generic", "spec.licence.account": "acme"}, map[string]verdict{
		"changing the account is refused":            {edits{"spec.licence.account": "other"}, "spec.licence.account: Invalid value"},
		"removing the account of Generic is refused": {edits{"spec.licence.account": nil}, required},
		"keeping the account is taken":               {edits{"spec.dispatch": "Hold"}, ""},
	})
}

func TestCRMLicenceAccountStays(t *testing.T) {
	judgeUpdate(t, validCRM, edits{"spec.licence.account": "acme"}, map[string]verdict{
		"removing the account of Zendesk is refused": {edits{"spec.licence.account": nil}, "field account is immutable once set"},
	})
	judgeUpdate(t, validCRM, edits{}, map[string]verdict{
		"an account set later is taken": {edits{"spec.licence.account": "acme"}, ""},
	})
}

func TestCRMLimits(t *testing.T) {
	const oneOf = "exactly one of windowSeconds, calendar, concurrent must be set"
	const callsRule = "exactly one of calls, executionSeconds is required with windowSeconds or calendar; neither may be set with concurrent"
	first := "spec.licence.limits[0]."
	calendar := map[string]any{"unit": "Day"}
	many := func(n int) (out []any) {
		for i := range n {
			out = append(out, map[string]any{"name": fmt.Sprintf("limit-%d", i), "concurrent": 1})
		}
		return out
	}
	judge(t, validCRM, map[string]verdict{
		"no limits are refused":                       {edits{"spec.licence.limits": nil}, "tier or limits must be set"},
		"an empty list of limits is refused":          {edits{"spec.licence.limits": []any{}}, "should have at least 1 items"},
		"16 limits are taken":                         {edits{"spec.licence.limits": many(16)}, ""},
		"17 limits are refused":                       {edits{"spec.licence.limits": many(17)}, "must have at most 16 items"},
		"two limits of one name are refused":          {edits{"spec.licence.limits": list(many(1)[0].(map[string]any), many(1)[0].(map[string]any))}, "Duplicate value"},
		"a limit without a kind is refused":           {edits{first + "windowSeconds": nil}, oneOf},
		"rolling and calendar are refused":            {edits{first + "calendar": calendar}, oneOf},
		"rolling and concurrent are refused":          {edits{first + "concurrent": 2}, oneOf},
		"rolling without calls is refused":            {edits{first + "calls": nil}, callsRule},
		"calendar without calls is refused":           {edits{"spec.licence.limits[1].calls": nil}, callsRule},
		"concurrent with calls is refused":            {edits{"spec.licence.limits[2].calls": 5}, callsRule},
		"execution in place of calls is taken":        {edits{first + "calls": nil, first + "executionSeconds": 1200}, ""},
		"execution in a calendar period is taken":     {edits{"spec.licence.limits[1].calls": nil, "spec.licence.limits[1].executionSeconds": 10000000}, ""},
		"execution and calls are refused":             {edits{first + "executionSeconds": 1200}, callsRule},
		"concurrent with execution is refused":        {edits{"spec.licence.limits[2].executionSeconds": 5}, callsRule},
		"execution of 10000001 seconds is refused":    {edits{first + "calls": nil, first + "executionSeconds": 10000001}, "should be less than or equal to 10000000"},
		"0 calls are refused":                         {edits{first + "calls": 0}, "should be greater than or equal to 1"},
		"1 call is taken":                             {edits{first + "calls": 1}, ""},
		"a thousand million calls are taken":          {edits{first + "calls": 1000000000}, ""},
		"more than a thousand million are refused":    {edits{first + "calls": 1000000001}, "should be less than or equal to 1000000000"},
		"a window of 0 seconds is refused":            {edits{first + "windowSeconds": 0}, "should be greater than or equal to 1"},
		"a window of 31 days is taken":                {edits{first + "windowSeconds": 2678400}, ""},
		"a longer window is refused":                  {edits{first + "windowSeconds": 2678401}, "should be less than or equal to 2678400"},
		"concurrent 0 is refused":                     {edits{"spec.licence.limits[2].concurrent": 0}, "should be greater than or equal to 1"},
		"concurrent 10000 is taken":                   {edits{"spec.licence.limits[2].concurrent": 10000}, ""},
		"concurrent 10001 is refused":                 {edits{"spec.licence.limits[2].concurrent": 10001}, "should be less than or equal to 10000"},
		"onExhaustion Alert is taken":                 {edits{first + "onExhaustion": "Alert"}, ""},
		"onExhaustion that does not exist is refused": {edits{first + "onExhaustion": "Panic"}, `onExhaustion: Unsupported value: "Panic"`},
		"a limit without a name is refused":           {edits{first + "name": nil}, "name"},
		"a limit's name with a capital is refused":    {edits{first + "name": "Minute"}, "name in body should match"},
		"a limit's name of 32 characters is taken":    {edits{first + "name": strings.Repeat("m", 32)}, ""},
		"a limit's name of 33 characters is refused":  {edits{first + "name": strings.Repeat("m", 33)}, "may not be more than 32"},
		"a calendar hour in an unknown zone is taken": {edits{"spec.licence.limits[1].calendar": map[string]any{"unit": "Hour"}}, ""},
		"a calendar month is taken":                   {edits{"spec.licence.limits[1].calendar.unit": "Month"}, ""},
		"a calendar week is refused":                  {edits{"spec.licence.limits[1].calendar.unit": "Week"}, `calendar.unit: Unsupported value: "Week"`},
		"a calendar without a unit is refused":        {edits{"spec.licence.limits[1].calendar.unit": nil}, "calendar.unit: Required value"},
		"a zone with an underscore is taken":          {edits{"spec.licence.limits[1].calendar.timeZone": "America/New_York"}, ""},
		"a zone that is a path is refused":            {edits{"spec.licence.limits[1].calendar.timeZone": "../etc/passwd"}, "calendar.timeZone in body should match"},
		"an empty zone is refused":                    {edits{"spec.licence.limits[1].calendar.timeZone": ""}, "should be at least 1 chars long"},
		"a zone of 65 characters is refused":          {edits{"spec.licence.limits[1].calendar.timeZone": strings.Repeat("Z", 65)}, "may not be more than 64"},
	})
}

func TestCRMIntakeStorageAndDeletion(t *testing.T) {
	const tlsRule = "tlsSecretRef must not be set when scheme is HTTP"
	const sizeRule = "size must be between 256Mi and 1Ti"
	judge(t, validCRM, map[string]verdict{
		"HTTP is taken":                             {edits{"spec.intake.scheme": "HTTP"}, ""},
		"a TLS Secret is taken":                     {edits{"spec.intake.tlsSecretRef.name": "tls"}, ""},
		"HTTP with a TLS Secret is refused":         {edits{"spec.intake.scheme": "HTTP", "spec.intake.tlsSecretRef.name": "tls"}, tlsRule},
		"a scheme that does not exist is refused":   {edits{"spec.intake.scheme": "GRPC"}, `spec.intake.scheme: Unsupported value: "GRPC"`},
		"256Mi are taken":                           {edits{"spec.storage.size": "256Mi"}, ""},
		"255Mi are refused":                         {edits{"spec.storage.size": "255Mi"}, sizeRule},
		"1Ti is taken":                              {edits{"spec.storage.size": "1Ti"}, ""},
		"1025Gi are refused":                        {edits{"spec.storage.size": "1025Gi"}, sizeRule},
		"a size in plain bytes is taken":            {edits{"spec.storage.size": 536870912}, ""},
		"a size that is no quantity is refused":     {edits{"spec.storage.size": "big"}, "spec.storage.size"},
		"an empty storage class is refused":         {edits{"spec.storage.storageClassName": ""}, "should be at least 1 chars long"},
		"a storage class of 254 letters is refused": {edits{"spec.storage.storageClassName": strings.Repeat("s", 254)}, "may not be more than 253"},
		"encryption without a Secret is refused":    {edits{"spec.storage.encryption.currentKey": "k"}, "spec.storage.encryption.secretRef: Required value"},
		"one key as current and former is refused":  {edits{"spec.storage.encryption.secretRef.name": "s", "spec.storage.encryption.currentKey": "former"}, "currentKey and formerKey must differ"},
		"deletion Drain is taken":                   {edits{"spec.deletion.policy": "Drain", "spec.deletion.drainTimeoutSeconds": 604800}, ""},
		"deletion Discard is taken":                 {edits{"spec.deletion.policy": "Discard"}, ""},
		"deletion that does not exist is refused":   {edits{"spec.deletion.policy": "Orphan"}, `spec.deletion.policy: Unsupported value: "Orphan"`},
		"a drain timeout of 0 is refused":           {edits{"spec.deletion.drainTimeoutSeconds": 0}, "should be greater than or equal to 1"},
		"tracing is taken":                          {edits{"spec.tracing.endpoint": "http://otel-collector.observability:4318"}, ""},
		"tracing without a collector is refused":    {edits{"spec.tracing.samplingPercent": 5}, "spec.tracing.endpoint: Required value"},
		"a collector with a path is refused":        {edits{"spec.tracing.endpoint": "http://otel:4318/v1/traces"}, "spec.tracing.endpoint in body should match"},
		"sampling of 101 percent is refused":        {edits{"spec.tracing.endpoint": "http://otel:4318", "spec.tracing.samplingPercent": 101}, "should be less than or equal to 100"},
		"sampling of -1 percent is refused":         {edits{"spec.tracing.endpoint": "http://otel:4318", "spec.tracing.samplingPercent": -1}, "should be greater than or equal to 0"},
		"a drain timeout over a week is refused":    {edits{"spec.deletion.drainTimeoutSeconds": 604801}, "should be less than or equal to 604800"},
	})
	judgeUpdate(t, validCRM, edits{"spec.storage.size": "1Gi", "spec.storage.storageClassName": "fast"}, map[string]verdict{
		"a larger volume is taken":                {edits{"spec.storage.size": "2Gi"}, ""},
		"the same volume in other units is taken": {edits{"spec.storage.size": "1024Mi"}, ""},
		"a smaller volume is refused":             {edits{"spec.storage.size": "512Mi"}, "size can only grow"},
		"another storage class is refused":        {edits{"spec.storage.storageClassName": "slow"}, "storageClassName is immutable"},
		"no storage class any more is refused":    {edits{"spec.storage.storageClassName": nil}, "storageClassName is immutable"},
		"no storage any more is refused":          {edits{"spec.storage": nil}, "storageClassName is immutable"},
	})
	judgeUpdate(t, validCRM, edits{}, map[string]verdict{
		"a storage class set later is refused": {edits{"spec.storage.storageClassName": "fast"}, "storageClassName is immutable"},
		"encryption set later is taken":        {edits{"spec.storage.encryption.secretRef.name": "s"}, ""},
	})
	judgeUpdate(t, validCRM, edits{"spec.storage.encryption.secretRef.name": "s"}, map[string]verdict{
		"another encryption Secret is taken": {edits{"spec.storage.encryption.secretRef.name": "other"}, ""},
		"no encryption any more is refused":  {edits{"spec.storage.encryption": nil}, "encryption cannot be taken away"},
		"no storage any more is refused":     {edits{"spec.storage": nil}, "encryption cannot be taken away"},
	})
}

func TestCRMLimitsOfSomeCalls(t *testing.T) {
	const recordKind = "scope Record is only for calls in windowSeconds"
	const recordPath = "scope Record needs match.path with a '*' that stands for the record"
	const either = "exactly one of the fields in [operations path] must be set"
	const path = "match.path in body should match"
	first, day, slots := "spec.licence.limits[0].", "spec.licence.limits[1].", "spec.licence.limits[2]."
	byPath := func(p string) map[string]any { return map[string]any{"path": p} }
	operations := func(n int) map[string]any {
		var names []any
		for i := range n {
			names = append(names, fmt.Sprintf("Operation%d", i))
		}
		return map[string]any{"operations": names}
	}
	record := func(e edits) edits {
		all := edits{first + "scope": "Record", first + "match": byPath("/api/v2/tickets/*")}
		maps.Copy(all, e)
		return all
	}
	judge(t, validCRM, map[string]verdict{
		"some operations are taken":                  {edits{first + "match": operations(16)}, ""},
		"17 operations are refused":                  {edits{first + "match": operations(17)}, "must have at most 16 items"},
		"no operations are refused":                  {edits{first + "match": map[string]any{"operations": []any{}}}, "should have at least 1 items"},
		"an operation twice is refused":              {edits{first + "match": map[string]any{"operations": []any{"Search", "Search"}}}, "Duplicate value"},
		"an operation in lower case is refused":      {edits{first + "match": map[string]any{"operations": []any{"search"}}}, "should match"},
		"a path alone is taken":                      {edits{first + "match": byPath("/api/v2/incremental/**")}, ""},
		"a path with methods is taken":               {edits{first + "match": map[string]any{"path": "/a/*/b", "methods": []any{"PUT", "PATCH"}}}, ""},
		"a path with ** inside is refused":           {edits{first + "match": byPath("/a/**/b")}, path},
		"methods without a path are refused":         {edits{first + "match": map[string]any{"methods": []any{"PUT"}, "operations": []any{"Search"}}}, "methods need a path"},
		"operations and a path are refused":          {edits{first + "match": map[string]any{"path": "/a", "operations": []any{"Search"}}}, either},
		"an empty match is refused":                  {edits{first + "match": map[string]any{}}, either},
		"a match of a day is taken":                  {edits{day + "match": operations(1)}, ""},
		"jobs are taken":                             {edits{slots + "until": "JobEnds", slots + "match": operations(1)}, ""},
		"slots until the call ends are taken":        {edits{slots + "until": "CallEnds"}, ""},
		"slots until they please are refused":        {edits{slots + "until": "Noon"}, `until: Unsupported value: "Noon"`},
		"a rolling limit until jobs end is refused":  {edits{first + "until": "JobEnds"}, "until is only for concurrent limits"},
		"scope Credential is taken":                  {edits{first + "scope": "Credential", slots + "scope": "Credential"}, ""},
		"a scope that does not exist is refused":     {edits{first + "scope": "User"}, `scope: Unsupported value: "User"`},
		"scope Record is taken":                      {record(nil), ""},
		"a record in the middle of a path is taken":  {record(edits{first + "match": byPath("/users/*/merge")}), ""},
		"a record before ** is taken":                {record(edits{first + "match": byPath("/users/*/**")}), ""},
		"a record with a cost is taken":              {record(edits{first + "costs": list(map[string]any{"cost": 400, "match": byPath("/x")})}), ""},
		"a record counted in fixed windows is taken": {record(edits{first + "crmCounting": "Fixed"}), ""},
		"scope Record without a match is refused":    {record(edits{first + "match": nil}), recordPath},
		"scope Record with operations is refused":    {record(edits{first + "match": operations(1)}), recordPath},
		"scope Record without a * is refused":        {record(edits{first + "match": byPath("/users/me")}), recordPath},
		"scope Record with ** alone is refused":      {record(edits{first + "match": byPath("/users/**")}), recordPath},
		"scope Record of execution is refused":       {record(edits{first + "calls": nil, first + "executionSeconds": 5}), recordKind},
		"scope Record of a day is refused":           {edits{day + "scope": "Record", day + "match": byPath("/a/*")}, recordKind},
		"scope Record of slots is refused":           {edits{slots + "scope": "Record", slots + "match": byPath("/a/*")}, recordKind},
		"scope Record of a token bucket is refused":  {record(edits{first + "crmCounting": "TokenBucket", first + "burst": 5}), "scope Record can only be counted as Exact or Fixed"},
		"scope Record of an estimate is refused":     {record(edits{first + "crmCounting": "Approximate"}), "scope Record can only be counted as Exact or Fixed"},
	})
}

func TestCRMLimitsCostsAndCounting(t *testing.T) {
	const burstRule = "burst is required with crmCounting TokenBucket, and must not be set otherwise"
	first, day, slots := "spec.licence.limits[0].", "spec.licence.limits[1].", "spec.licence.limits[2]."
	costs := func(cost any, n int) []any {
		var out []any
		for range n {
			out = append(out, map[string]any{"match": map[string]any{"operations": []any{"Search"}}, "cost": cost})
		}
		return out
	}
	bucket := func(e edits) edits {
		all := edits{first + "crmCounting": "TokenBucket", first + "burst": 40}
		maps.Copy(all, e)
		return all
	}
	execution := func(e edits) edits {
		all := edits{first + "calls": nil, first + "executionSeconds": 1200}
		maps.Copy(all, e)
		return all
	}
	per := func(per map[string]any) edits {
		return edits{first + "costs": list(map[string]any{"match": map[string]any{"path": "/a"}, "cost": 1, "per": per})}
	}
	judge(t, validCRM, map[string]verdict{
		"a cost for each ten records is taken":        {per(map[string]any{"bodyArray": "data", "items": 10, "most": 100}), ""},
		"a cost for each part is taken":               {per(map[string]any{"bodyArray": "$parts", "most": 1000}), ""},
		"a cost by a number in the query is taken":    {per(map[string]any{"queryNumber": "per_page", "items": 200, "most": 200}), ""},
		"a cost by a list in the query is taken":      {per(map[string]any{"queryList": "include", "most": 5, "plus": 1}), ""},
		"a cost of nothing in particular is refused":  {per(map[string]any{"most": 5}), "exactly one of the fields in [bodyArray queryNumber queryList] must be set"},
		"a cost of two things is refused":             {per(map[string]any{"bodyArray": "a", "queryList": "b", "most": 5}), "exactly one of the fields in [bodyArray queryNumber queryList] must be set"},
		"a cost without the most there can be":        {per(map[string]any{"bodyArray": "a"}), "most: Required value"},
		"a cost of more than 1000 kinds is refused":   {per(map[string]any{"bodyArray": "a", "items": 2, "most": 2001}), "most must be at most 1000 times items"},
		"a cost of 1000 kinds is taken":               {per(map[string]any{"bodyArray": "a", "items": 2, "most": 2000}), ""},
		"a cost for each of 0 items is refused":       {per(map[string]any{"bodyArray": "a", "items": 0, "most": 5}), "should be greater than or equal to 1"},
		"a name with a space is refused":              {per(map[string]any{"bodyArray": "a b", "most": 5}), "bodyArray: Invalid value"},
		"32 costs are taken":                          {edits{first + "costs": costs(40, 32)}, ""},
		"33 costs are refused":                        {edits{first + "costs": costs(40, 33)}, "must have at most 32 items"},
		"an empty list of costs is refused":           {edits{first + "costs": []any{}}, "should have at least 1 items"},
		"a cost of 0 is refused":                      {edits{first + "costs": costs(0, 1)}, "should be greater than or equal to 1"},
		"a cost of 100000 is taken":                   {edits{first + "calls": 100000, first + "costs": costs(100000, 1)}, ""},
		"a cost of 100001 is refused":                 {edits{first + "calls": 100001, first + "costs": costs(100001, 1)}, "should be less than or equal to 100000"},
		"a cost without a match is refused":           {edits{first + "costs": list(map[string]any{"cost": 1})}, "match: Required value"},
		"a match without a cost is refused":           {edits{first + "costs": list(map[string]any{"match": map[string]any{"path": "/a"}})}, "cost: Required value"},
		"a cost of all calls is taken":                {edits{first + "costs": costs(400, 1)}, ""},
		"a cost of more than all calls is refused":    {edits{first + "costs": costs(401, 1)}, "no cost may be greater than calls"},
		"costs of a day are taken":                    {edits{day + "costs": costs(40, 1)}, ""},
		"costs of execution are refused":              {execution(edits{first + "costs": costs(40, 1)}), "costs are only for limits with calls"},
		"costs of slots are refused":                  {edits{slots + "costs": costs(1, 1)}, "costs are only for limits with calls"},
		"counting Exact is taken":                     {edits{first + "crmCounting": "Exact"}, ""},
		"counting Fixed is taken":                     {edits{first + "crmCounting": "Fixed"}, ""},
		"counting Approximate is taken":               {edits{first + "crmCounting": "Approximate"}, ""},
		"counting that does not exist is refused":     {edits{first + "crmCounting": "Guess"}, `crmCounting: Unsupported value: "Guess"`},
		"a token bucket is taken":                     {bucket(nil), ""},
		"a token bucket as large as calls is taken":   {bucket(edits{first + "burst": 400}), ""},
		"a larger token bucket is refused":            {bucket(edits{first + "burst": 401}), "burst must be less than or equal to calls"},
		"a token bucket of 0 is refused":              {bucket(edits{first + "burst": 0}), "should be greater than or equal to 1"},
		"a token bucket without a burst is refused":   {bucket(edits{first + "burst": nil}), burstRule},
		"a burst without a token bucket is refused":   {edits{first + "burst": 40}, burstRule},
		"a burst counted as Fixed is refused":         {edits{first + "burst": 40, first + "crmCounting": "Fixed"}, burstRule},
		"a cost as large as the burst is taken":       {bucket(edits{first + "costs": costs(40, 1)}), ""},
		"a cost larger than the burst is refused":     {bucket(edits{first + "costs": costs(41, 1)}), "no cost may be greater than burst"},
		"counting of a day is refused":                {edits{day + "crmCounting": "Fixed"}, "crmCounting is only for windowSeconds"},
		"counting of slots is refused":                {edits{slots + "crmCounting": "Exact"}, "crmCounting is only for windowSeconds"},
		"execution counted as Fixed is taken":         {execution(edits{first + "crmCounting": "Fixed"}), ""},
		"execution counted as Approximate is refused": {execution(edits{first + "crmCounting": "Approximate"}), "executionSeconds can only be counted as Exact or Fixed"},
		"a guard of 1 second is taken":                {edits{first + "countingGuardSeconds": 1, day + "countingGuardSeconds": 600}, ""},
		"a guard of 0 seconds is refused":             {edits{first + "countingGuardSeconds": 0}, "should be greater than or equal to 1"},
		"a guard of 601 seconds is refused":           {edits{first + "countingGuardSeconds": 601}, "should be less than or equal to 600"},
		"a guard of slots is refused":                 {edits{slots + "countingGuardSeconds": 1}, "countingGuardSeconds is only for windowSeconds and calendar"},
	})
}

func TestCRMLicenceBesidesLimits(t *testing.T) {
	judge(t, validCRM, map[string]verdict{
		"90 percent for others are taken":      {edits{"spec.licence.externalPercent": 90}, ""},
		"0 percent for others are taken":       {edits{"spec.licence.externalPercent": 0}, ""},
		"91 percent for others are refused":    {edits{"spec.licence.externalPercent": 91}, "should be less than or equal to 90"},
		"-1 percent for others is refused":     {edits{"spec.licence.externalPercent": -1}, "should be greater than or equal to 0"},
		"a server delay of an hour is taken":   {edits{"spec.licence.maxServerDelaySeconds": 3600}, ""},
		"a longer server delay is refused":     {edits{"spec.licence.maxServerDelaySeconds": 3601}, "should be less than or equal to 3600"},
		"no server delay is refused":           {edits{"spec.licence.maxServerDelaySeconds": 0}, "should be greater than or equal to 1"},
		"Spent after a loss is taken":          {edits{"spec.licence.afterLedgerLoss": "Spent"}, ""},
		"Fresh after a loss is taken":          {edits{"spec.licence.afterLedgerLoss": "Fresh"}, ""},
		"an unknown policy of loss is refused": {edits{"spec.licence.afterLedgerLoss": "ProRata"}, `afterLedgerLoss: Unsupported value: "ProRata"`},
	})
}

func TestCRMLicenceByTier(t *testing.T) {
	const licence = "spec.licence."
	next := func(fields map[string]any) map[string]any {
		all := map[string]any{"tier": "SuiteTeam", "from": "2027-01-01T00:00:00Z"}
		maps.Copy(all, fields)
		return all
	}
	const needTier = "seats, addOns and next need a tier"
	judge(t, validCRM, map[string]verdict{
		"a tier besides limits is taken":             {edits{licence + "tier": "SuiteGrowth"}, ""},
		"a tier alone is taken":                      {edits{licence + "tier": "SuiteGrowth", licence + "limits": nil}, ""},
		"neither tier nor limits is refused":         {edits{licence + "limits": nil, licence + "externalPercent": 5}, "tier or limits must be set"},
		"a tier of another spelling is refused":      {edits{licence + "tier": "suite growth"}, "spec.licence.tier in body should match"},
		"a tier of 41 letters is refused":            {edits{licence + "tier": "S" + strings.Repeat("x", 40)}, "may not be more than 40"},
		"a tier of Generic is refused":               {edits{licence + "tier": "Any", "spec.provider": "Generic", licence + "account": "acme"}, "licence.tier is not for provider Generic"},
		"seats are taken":                            {edits{licence + "tier": "Enterprise", licence + "seats": 1_000_000}, ""},
		"seats without a tier are refused":           {edits{licence + "seats": 5}, needTier},
		"no seats are refused":                       {edits{licence + "tier": "Enterprise", licence + "seats": 0}, "should be greater than or equal to 1"},
		"more than a million seats are refused":      {edits{licence + "tier": "Enterprise", licence + "seats": 1_000_001}, "should be less than or equal to 1000000"},
		"an add-on is taken":                         {edits{licence + "tier": "SuiteGrowth", licence + "addOns": list(map[string]any{"name": "HighVolumeAPI"})}, ""},
		"an add-on without a tier is refused":        {edits{licence + "addOns": list(map[string]any{"name": "HighVolumeAPI"})}, needTier},
		"an add-on without a name is refused":        {edits{licence + "tier": "SuiteGrowth", licence + "addOns": list(map[string]any{"count": 1})}, "name: Required value"},
		"an add-on of which there is 0 is refused":   {edits{licence + "tier": "SuiteGrowth", licence + "addOns": list(map[string]any{"name": "A", "count": 0})}, "should be greater than or equal to 1"},
		"an add-on that is there twice is refused":   {edits{licence + "tier": "SuiteGrowth", licence + "addOns": list(map[string]any{"name": "A"}, map[string]any{"name": "A"})}, "Duplicate value"},
		"an end is taken":                            {edits{licence + "validUntil": "2027-01-01T00:00:00Z"}, ""},
		"an end that is no time is refused":          {edits{licence + "validUntil": "tomorrow"}, "must be of type date-time"},
		"a licence that follows is taken":            {edits{licence + "tier": "SuiteGrowth", licence + "next": next(nil), licence + "validUntil": "2027-01-01T00:00:00Z"}, ""},
		"one that follows limits alone is refused":   {edits{licence + "next": next(nil)}, needTier},
		"one that follows too late is refused":       {edits{licence + "tier": "SuiteGrowth", licence + "next": next(nil), licence + "validUntil": "2026-12-31T23:59:59Z"}, "next.from must not be after validUntil"},
		"one that follows without a tier is refused": {edits{licence + "tier": "SuiteGrowth", licence + "next": next(map[string]any{"tier": nil})}, "tier: Required value"},
		"one that follows at no time is refused":     {edits{licence + "tier": "SuiteGrowth", licence + "next": next(map[string]any{"from": nil})}, "from: Required value"},
		"a time zone is taken":                       {edits{licence + "tier": "SuiteGrowth", licence + "timeZone": "Europe/Berlin"}, ""},
	})
}
