// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
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
		"a provider that nobody wrote is refused":      {edits{"spec.provider": "Siebel"}, `spec.provider: Unsupported value: "Siebel": supported values: "Zendesk", "Generic"`},
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
		"enforcement that does not exist is refused":   {edits{"spec.enforcement": "Observe"}, `spec.enforcement: Unsupported value: "Observe"`},
		"dispatch Hold is taken":                       {edits{"spec.dispatch": "Hold"}, ""},
		"dispatch Drain is taken":                      {edits{"spec.dispatch": "Drain"}, ""},
		"dispatch that does not exist is refused":      {edits{"spec.dispatch": "Stop"}, `spec.dispatch: Unsupported value: "Stop"`},
		"calls that are a word are refused":            {edits{"spec.licence.limits[0].calls": "many"}, "must be of type integer"},
	})
}

func TestCRMCredentials(t *testing.T) {
	const exactlyOne = "exactly one of the fields in [basic bearer header] must be set"
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

func TestCRMLicenceAccount(t *testing.T) {
	const required = "licence.account is required unless the provider is Zendesk, which derives it from the endpoint"
	judge(t, validCRM, map[string]verdict{
		"Generic without an account is refused":        {edits{"spec.provider": "Generic"}, required},
		"Generic with an account is taken":             {edits{"spec.provider": "Generic", "spec.licence.account": "acme"}, ""},
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
	const callsRule = "calls is required with windowSeconds or calendar, and must not be set with concurrent"
	first := "spec.licence.limits[0]."
	calendar := map[string]any{"unit": "Day"}
	many := func(n int) (out []any) {
		for i := range n {
			out = append(out, map[string]any{"name": fmt.Sprintf("limit-%d", i), "concurrent": 1})
		}
		return out
	}
	judge(t, validCRM, map[string]verdict{
		"no limits are refused":                       {edits{"spec.licence.limits": nil}, "spec.licence.limits: Required value"},
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
	const sizeRule = "size must be between 64Mi and 1Ti"
	judge(t, validCRM, map[string]verdict{
		"HTTP is taken":                             {edits{"spec.intake.scheme": "HTTP"}, ""},
		"a TLS Secret is taken":                     {edits{"spec.intake.tlsSecretRef.name": "tls"}, ""},
		"HTTP with a TLS Secret is refused":         {edits{"spec.intake.scheme": "HTTP", "spec.intake.tlsSecretRef.name": "tls"}, tlsRule},
		"a scheme that does not exist is refused":   {edits{"spec.intake.scheme": "GRPC"}, `spec.intake.scheme: Unsupported value: "GRPC"`},
		"64Mi are taken":                            {edits{"spec.storage.size": "64Mi"}, ""},
		"63Mi are refused":                          {edits{"spec.storage.size": "63Mi"}, sizeRule},
		"1Ti is taken":                              {edits{"spec.storage.size": "1Ti"}, ""},
		"1025Gi are refused":                        {edits{"spec.storage.size": "1025Gi"}, sizeRule},
		"a size in plain bytes is taken":            {edits{"spec.storage.size": 134217728}, ""},
		"a size that is no quantity is refused":     {edits{"spec.storage.size": "big"}, "spec.storage.size"},
		"an empty storage class is refused":         {edits{"spec.storage.storageClassName": ""}, "should be at least 1 chars long"},
		"a storage class of 254 letters is refused": {edits{"spec.storage.storageClassName": strings.Repeat("s", 254)}, "may not be more than 253"},
		"deletion Drain is taken":                   {edits{"spec.deletion.policy": "Drain", "spec.deletion.drainTimeoutSeconds": 604800}, ""},
		"deletion Discard is taken":                 {edits{"spec.deletion.policy": "Discard"}, ""},
		"deletion that does not exist is refused":   {edits{"spec.deletion.policy": "Orphan"}, `spec.deletion.policy: Unsupported value: "Orphan"`},
		"a drain timeout of 0 is refused":           {edits{"spec.deletion.drainTimeoutSeconds": 0}, "should be greater than or equal to 1"},
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
	})
}
