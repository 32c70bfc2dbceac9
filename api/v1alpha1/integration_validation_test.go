// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

const validIntegration = `
apiVersion: crmquota.dev/v1alpha1
kind: Integration
metadata: {name: ccai}
spec:
  crmRef: {name: zendesk}
  share: {guaranteedPercent: 60, weight: 3}
  overflow:
    operations:
    - {operation: CreateTicket, policy: Queue}
    - {match: {methods: [POST, PUT], path: "/api/v2/tickets/*/comments"}, policy: Queue}
  clients:
  - {name: adapter, serviceAccount: {name: ccai-adapter}}
`

func TestIntegrationNameAndReference(t *testing.T) {
	const nameRule = "metadata.name must contain only a-z, 0-9 and '-'"
	judge(t, validIntegration, map[string]verdict{
		"the valid manifest is taken":            {edits{}, ""},
		"a name of 63 characters is taken":       {edits{"metadata.name": strings.Repeat("1", 63)}, ""},
		"a name of 64 characters is refused":     {edits{"metadata.name": strings.Repeat("1", 64)}, nameRule},
		"a name with a dot is refused":           {edits{"metadata.name": "ccai.eu"}, nameRule},
		"a missing reference is refused":         {edits{"spec.crmRef": nil}, "spec.crmRef: Required value"},
		"a reference without a name is refused":  {edits{"spec.crmRef": map[string]any{}}, "spec.crmRef.name: Required value"},
		"enforcement Shadow is taken":            {edits{"spec.enforcement": "Shadow"}, ""},
		"enforcement that is unknown is refused": {edits{"spec.enforcement": "Watch"}, `spec.enforcement: Unsupported value: "Watch"`},
		"enforcement Observe is refused":         {edits{"spec.enforcement": "Observe"}, "for an application that goes on calling the CRM itself set route: External"},
	})
	judgeUpdate(t, validIntegration, edits{}, map[string]verdict{
		"another CRM is refused": {edits{"spec.crmRef.name": "other"}, "spec.crmRef: Invalid value"},
		"another share is taken": {edits{"spec.share.guaranteedPercent": 10}, ""},
	})
}

func TestIntegrationShare(t *testing.T) {
	const order = "guaranteedPercent must be less than or equal to maxPercent"
	judge(t, validIntegration, map[string]verdict{
		"no share is taken":                          {edits{"spec.share": nil}, ""},
		"an empty share is taken":                    {edits{"spec.share": map[string]any{}}, ""},
		"a guarantee of 0 percent is taken":          {edits{"spec.share.guaranteedPercent": 0}, ""},
		"a guarantee of 100 percent is taken":        {edits{"spec.share.guaranteedPercent": 100}, ""},
		"a guarantee of 101 percent is refused":      {edits{"spec.share.guaranteedPercent": 101}, "should be less than or equal to 100"},
		"a guarantee of -1 percent is refused":       {edits{"spec.share.guaranteedPercent": -1}, "should be greater than or equal to 0"},
		"maxPercent equal to the guarantee is taken": {edits{"spec.share.maxPercent": 60}, ""},
		"maxPercent below the guarantee is refused":  {edits{"spec.share.maxPercent": 59}, order},
		"maxPercent 0 is refused":                    {edits{"spec.share.maxPercent": 0}, "should be greater than or equal to 1"},
		"maxPercent 101 is refused":                  {edits{"spec.share.maxPercent": 101}, "should be less than or equal to 100"},
		"weight 0 is refused":                        {edits{"spec.share.weight": 0}, "should be greater than or equal to 1"},
		"weight 1000 is taken":                       {edits{"spec.share.weight": 1000}, ""},
		"weight 1001 is refused":                     {edits{"spec.share.weight": 1001}, "should be less than or equal to 1000"},
		"lending nothing is taken":                   {edits{"spec.share.lendPercent": 0}, ""},
		"lending all is taken":                       {edits{"spec.share.lendPercent": 100}, ""},
		"lending more than all is refused":           {edits{"spec.share.lendPercent": 101}, "should be less than or equal to 100"},
		"reclaim WithinWindow is taken":              {edits{"spec.share.reclaim": "WithinWindow"}, ""},
		"a reclaim that does not exist is refused":   {edits{"spec.share.reclaim": "Never"}, `reclaim: Unsupported value: "Never"`},
		"priority Interactive is taken":              {edits{"spec.priority": "Interactive"}, ""},
		"priority Bulk is taken":                     {edits{"spec.priority": "Bulk"}, ""},
		"a priority that does not exist is refused":  {edits{"spec.priority": "High"}, `spec.priority: Unsupported value: "High"`},
	})
}

func TestIntegrationSharePerLimit(t *testing.T) {
	const order = "in perLimit, guaranteedPercent must be less than or equal to maxPercent"
	part := func(fields map[string]any) edits {
		all := map[string]any{"limit": "minute"}
		maps.Copy(all, fields)
		return edits{"spec.share.perLimit": list(all)}
	}
	one := func(field string, value any) edits { return part(map[string]any{field: value}) }
	many := func(n int) (out []any) {
		for i := range n {
			out = append(out, map[string]any{"limit": fmt.Sprintf("l%d", i), "maxCalls": 1})
		}
		return out
	}
	judge(t, validIntegration, map[string]verdict{
		"a guarantee in calls is taken":            {one("guaranteedCalls", 100), ""},
		"a guarantee of 0 calls is taken":          {one("guaranteedCalls", 0), ""},
		"a thousand million guaranteed are taken":  {one("guaranteedCalls", 1000000000), ""},
		"more guaranteed calls are refused":        {one("guaranteedCalls", 1000000001), "should be less than or equal to 1000000000"},
		"a guarantee in percent is taken":          {one("guaranteedPercent", 10), ""},
		"a guarantee of 101 percent is refused":    {one("guaranteedPercent", 101), "should be less than or equal to 100"},
		"both guarantees are refused":              {part(map[string]any{"guaranteedPercent": 1, "guaranteedCalls": 1}), "at most one of guaranteedPercent, guaranteedCalls may be set"},
		"a maximum in calls is taken":              {one("maxCalls", 1), ""},
		"a maximum of 0 calls is refused":          {one("maxCalls", 0), "should be greater than or equal to 1"},
		"a maximum in percent is taken":            {one("maxPercent", 60), ""},
		"a maximum of 0 percent is refused":        {one("maxPercent", 0), "should be greater than or equal to 1"},
		"both maxima are refused":                  {part(map[string]any{"maxPercent": 70, "maxCalls": 1}), "at most one of maxPercent, maxCalls may be set"},
		"no figure at all is refused":              {part(nil), "one of guaranteedPercent, guaranteedCalls, maxPercent, maxCalls must be set"},
		"calls up to the maximum are taken":        {part(map[string]any{"guaranteedCalls": 5, "maxCalls": 5}), ""},
		"calls over the maximum are refused":       {part(map[string]any{"guaranteedCalls": 6, "maxCalls": 5}), "guaranteedCalls must be less than or equal to maxCalls"},
		"percent over the maximum are refused":     {part(map[string]any{"guaranteedPercent": 51, "maxPercent": 50}), order},
		"a maximum below the share's is refused":   {one("maxPercent", 59), order},
		"a maximum in calls below it is taken":     {one("maxCalls", 5), ""},
		"over the share's maximum is refused":      {edits{"spec.share": map[string]any{"maxPercent": 50, "perLimit": list(map[string]any{"limit": "day", "guaranteedPercent": 51})}}, order},
		"a maximum without any guarantee is taken": {edits{"spec.share": map[string]any{"perLimit": list(map[string]any{"limit": "day", "maxPercent": 1})}}, ""},
		"an empty list is refused":                 {edits{"spec.share.perLimit": []any{}}, "should have at least 1 items"},
		"16 limits are taken":                      {edits{"spec.share.perLimit": many(16)}, ""},
		"17 limits are refused":                    {edits{"spec.share.perLimit": many(17)}, "must have at most 16 items"},
		"a limit twice is refused":                 {edits{"spec.share.perLimit": append(many(1), many(1)...)}, "Duplicate value"},
		"figures without a limit are refused":      {edits{"spec.share.perLimit": list(map[string]any{"maxCalls": 1})}, "limit"},
		"a limit's name with a capital is refused": {edits{"spec.share.perLimit": list(map[string]any{"limit": "Day", "maxCalls": 1})}, "limit in body should match"},
		"a share of one limit alone is taken":      {edits{"spec.share": map[string]any{"perLimit": list(map[string]any{"limit": "day", "guaranteedCalls": 500})}}, ""},
	})
}

func TestIntegrationOverrides(t *testing.T) {
	const either = "either from and until, or weekly must be set"
	const from, until = "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"
	once := func(from, until any) map[string]any {
		o := map[string]any{"name": "black-friday", "share": map[string]any{"guaranteedPercent": 10}}
		if from != nil {
			o["from"] = from
		}
		if until != nil {
			o["until"] = until
		}
		return o
	}
	weekly := func(change map[string]any) map[string]any {
		w := map[string]any{"days": []any{"Monday", "Friday"}, "start": "08:00", "end": "18:00", "timeZone": "Europe/Berlin"}
		for field, value := range change {
			if value == nil {
				delete(w, field)
			} else {
				w[field] = value
			}
		}
		return map[string]any{"name": "business-hours", "weekly": w, "share": map[string]any{"weight": 5}}
	}
	with := func(o map[string]any, field string, value any) map[string]any {
		if value == nil {
			delete(o, field)
		} else {
			o[field] = value
		}
		return o
	}
	overrides := func(o ...map[string]any) edits { return edits{"spec.overrides": list(o...)} }
	many := func(n int) (out []any) {
		for i := range n {
			out = append(out, with(weekly(nil), "name", fmt.Sprintf("o%d", i)))
		}
		return out
	}
	judge(t, validIntegration, map[string]verdict{
		"one of each kind is taken":                   {overrides(once(from, until), weekly(nil)), ""},
		"times of other zones are compared right":     {overrides(once("2026-11-27T02:00:00+02:00", "2026-11-27T01:00:00Z")), ""},
		"from after until is refused":                 {overrides(once(until, from)), "from must be before until"},
		"from at until is refused":                    {overrides(once(from, from)), "from must be before until"},
		"from in another zone after until is refused": {overrides(once("2026-11-27T00:30:00-02:00", "2026-11-27T01:00:00Z")), "from must be before until"},
		"from alone is refused":                       {overrides(once(from, nil)), either},
		"until alone is refused":                      {overrides(once(nil, until)), either},
		"no time is refused":                          {overrides(once(nil, nil)), either},
		"both kinds of time are refused":              {overrides(with(with(weekly(nil), "from", from), "until", until)), either},
		"a time that is a word is refused":            {overrides(once("tomorrow", until)), "must be of type date-time"},
		"no share is refused":                         {overrides(with(weekly(nil), "share", nil)), "share: Required value"},
		"an empty share is taken":                     {overrides(with(weekly(nil), "share", map[string]any{})), ""},
		"a share's own rules hold":                    {overrides(with(weekly(nil), "share", map[string]any{"guaranteedPercent": 60, "maxPercent": 50})), "guaranteedPercent must be less than or equal to maxPercent"},
		"no name is refused":                          {overrides(with(weekly(nil), "name", nil)), "name"},
		"a name twice is refused":                     {overrides(weekly(nil), weekly(nil)), "Duplicate value"},
		"16 overrides are taken":                      {edits{"spec.overrides": many(16)}, ""},
		"17 overrides are refused":                    {edits{"spec.overrides": many(17)}, "must have at most 16 items"},
		"an empty list is refused":                    {edits{"spec.overrides": []any{}}, "should have at least 1 items"},
		"over midnight is taken":                      {overrides(weekly(map[string]any{"start": "22:00", "end": "06:00"})), ""},
		"until midnight is taken":                     {overrides(weekly(map[string]any{"end": "24:00"})), ""},
		"from 24:00 is refused":                       {overrides(weekly(map[string]any{"start": "24:00"})), "start in body should match"},
		"until 24:01 is refused":                      {overrides(weekly(map[string]any{"end": "24:01"})), "end in body should match"},
		"an hour without a zero is refused":           {overrides(weekly(map[string]any{"start": "8:00"})), "should be at least 5 chars long"},
		"minute 60 is refused":                        {overrides(weekly(map[string]any{"start": "08:60"})), "start in body should match"},
		"no start is refused":                         {overrides(weekly(map[string]any{"start": nil})), "start: Required value"},
		"no end is refused":                           {overrides(weekly(map[string]any{"end": nil})), "end: Required value"},
		"no time zone is refused":                     {overrides(weekly(map[string]any{"timeZone": nil})), "timeZone: Required value"},
		"a time zone that is a path is refused":       {overrides(weekly(map[string]any{"timeZone": "../x"})), "timeZone in body should match"},
		"no days are refused":                         {overrides(weekly(map[string]any{"days": []any{}})), "should have at least 1 items"},
		"a day that does not exist is refused":        {overrides(weekly(map[string]any{"days": []any{"Caturday"}})), `Unsupported value: "Caturday"`},
		"a day twice is refused":                      {overrides(weekly(map[string]any{"days": []any{"Monday", "Monday"}})), "Duplicate value"},
		"all days are taken":                          {overrides(weekly(map[string]any{"days": []any{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}})), ""},
		"overrides and no other share are taken":      {edits{"spec.share": nil, "spec.overrides": many(1)}, ""},
		"a name with a dot is refused":                {overrides(with(weekly(nil), "name", "a.b")), "name in body should match"},
	})
}

func TestIntegrationRoute(t *testing.T) {
	const guarantee = "route External needs a guarantee in share"
	external := func(e edits) edits {
		all := edits{"spec.route": "External", "spec.clients": nil, "spec.overflow": nil}
		maps.Copy(all, e)
		return all
	}
	perLimit := func(field string, value int) map[string]any {
		return map[string]any{"perLimit": list(map[string]any{"limit": "minute", "maxPercent": 90}, map[string]any{"limit": "day", field: value})}
	}
	judge(t, validIntegration, map[string]verdict{
		"External is taken":                          {external(nil), ""},
		"External with overrides is taken":           {external(edits{"spec.overrides": list(map[string]any{"name": "a", "from": "2026-11-27T00:00:00Z", "until": "2026-11-28T00:00:00Z", "share": map[string]any{}})}), ""},
		"External with clients is refused":           {external(edits{"spec.clients": list(map[string]any{"name": "a", "serviceAccount": map[string]any{"name": "a"}})}), "clients must not be set with route External"},
		"External with an overflow is refused":       {external(edits{"spec.overflow": map[string]any{"policy": "Wait"}}), "overflow must not be set with route External"},
		"External with credentials is refused":       {external(edits{"spec.credentials": map[string]any{"bearer": map[string]any{"secretRef": map[string]any{"name": "a"}}}}), "credentials must not be set with route External"},
		"External without a share is refused":        {external(edits{"spec.share": nil}), guarantee},
		"External that is guaranteed 0 is refused":   {external(edits{"spec.share.guaranteedPercent": 0}), guarantee},
		"External with calls of one limit is taken":  {external(edits{"spec.share": perLimit("guaranteedCalls", 5)}), ""},
		"External with percent of one is taken":      {external(edits{"spec.share": perLimit("guaranteedPercent", 5)}), ""},
		"External with 0 calls of one is refused":    {external(edits{"spec.share": perLimit("guaranteedCalls", 0)}), guarantee},
		"External with a maximum of one is refused":  {external(edits{"spec.share": perLimit("maxPercent", 50)}), guarantee},
		"Dispatched without clients is refused":      {edits{"spec.route": "Dispatched", "spec.clients": nil}, "clients are required"},
		"a route that does not exist is refused":     {edits{"spec.route": "Direct"}, `spec.route: Unsupported value: "Direct"`},
		"Dispatched and a share of nothing is taken": {edits{"spec.route": "Dispatched", "spec.share": nil}, ""},
	})
}

func TestIntegrationOverflow(t *testing.T) {
	const exactlyOne = "exactly one of the fields in [operation match] must be set"
	const unsafe = "policy Queue must not match GET, HEAD or OPTIONS: their callers need the answer"
	const path = "path in body should match"
	operation, match := "spec.overflow.operations[0].", "spec.overflow.operations[1].match."
	many := func(n int) (out []any) {
		for range n {
			out = append(out, map[string]any{"operation": "CreateTicket", "policy": "Queue"})
		}
		return out
	}
	judge(t, validIntegration, map[string]verdict{
		"no overflow is taken":                     {edits{"spec.overflow": nil}, ""},
		"policy Reject is taken":                   {edits{"spec.overflow.policy": "Reject"}, ""},
		"policy Queue for every call is refused":   {edits{"spec.overflow.policy": "Queue"}, `spec.overflow.policy: Unsupported value: "Queue"`},
		"a wait of 0 seconds is refused":           {edits{"spec.overflow.waitSeconds": 0}, "should be greater than or equal to 1"},
		"a wait of 300 seconds is taken":           {edits{"spec.overflow.waitSeconds": 300}, ""},
		"a wait of 301 seconds is refused":         {edits{"spec.overflow.waitSeconds": 301}, "should be less than or equal to 300"},
		"an empty list of operations is refused":   {edits{"spec.overflow.operations": []any{}}, "should have at least 1 items"},
		"32 operations are taken":                  {edits{"spec.overflow.operations": many(32)}, ""},
		"33 operations are refused":                {edits{"spec.overflow.operations": many(33)}, "must have at most 32 items"},
		"an operation without a policy is refused": {edits{operation + "policy": nil}, "policy: Required value"},
		"an operation's unknown policy is refused": {edits{operation + "policy": "Drop"}, `policy: Unsupported value: "Drop"`},
		"neither operation nor match is refused":   {edits{operation + "operation": nil}, exactlyOne},
		"operation and match are refused":          {edits{"spec.overflow.operations[1].operation": "Search"}, exactlyOne},
		"an operation in lower case is refused":    {edits{operation + "operation": "createTicket"}, "operation in body should match"},
		"an operation of 65 letters is refused":    {edits{operation + "operation": strings.Repeat("A", 65)}, "may not be more than 64"},
		"queueing GET is refused":                  {edits{match + "methods": []any{"POST", "GET"}}, unsafe},
		"queueing HEAD is refused":                 {edits{match + "methods": []any{"HEAD"}}, unsafe},
		"queueing OPTIONS is refused":              {edits{match + "methods": []any{"OPTIONS"}}, unsafe},
		"rejecting GET is taken":                   {edits{match + "methods": []any{"GET"}, "spec.overflow.operations[1].policy": "Reject"}, ""},
		"a match without methods is refused":       {edits{match + "methods": nil}, "methods: Required value"},
		"a match with no method is refused":        {edits{match + "methods": []any{}}, "should have at least 1 items"},
		"a method that is unknown is refused":      {edits{match + "methods": []any{"BREW"}}, `Unsupported value: "BREW"`},
		"a method twice is refused":                {edits{match + "methods": []any{"POST", "POST"}}, "Duplicate value"},
		"a match without a path is refused":        {edits{match + "path": nil}, "path: Required value"},
		"a path with ** at its end is taken":       {edits{match + "path": "/api/v2/**"}, ""},
		"** alone is taken":                        {edits{match + "path": "/**"}, ""},
		"the root is taken":                        {edits{match + "path": "/"}, ""},
		"a path with ** inside is refused":         {edits{match + "path": "/api/**/tickets"}, path},
		"a path without a slash is refused":        {edits{match + "path": "api"}, path},
		"a path with a query is refused":           {edits{match + "path": "/api?page=2"}, path},
		"a path of 257 characters is refused":      {edits{match + "path": "/" + strings.Repeat("a", 256)}, "may not be more than 256"},
		"a queue of 0 calls is refused":            {edits{"spec.overflow.queue.maxCalls": 0}, "should be greater than or equal to 1"},
		"a queue of 100000 calls is taken":         {edits{"spec.overflow.queue.maxCalls": 100000}, ""},
		"a queue of 100001 calls is refused":       {edits{"spec.overflow.queue.maxCalls": 100001}, "should be less than or equal to 100000"},
		"8Mi of bodies are taken":                  {edits{"spec.overflow.queue.maxBytes": "8Mi"}, ""},
		"less than 8Mi of bodies are refused":      {edits{"spec.overflow.queue.maxBytes": "8191Ki"}, "maxBytes must be between 8Mi and 1Ti"},
		"1Ti of bodies is taken":                   {edits{"spec.overflow.queue.maxBytes": "1Ti"}, ""},
		"more than 1Ti of bodies are refused":      {edits{"spec.overflow.queue.maxBytes": "1025Gi"}, "maxBytes must be between 8Mi and 1Ti"},
		"an age of 59 seconds is refused":          {edits{"spec.overflow.queue.maxAgeSeconds": 59}, "should be greater than or equal to 60"},
		"an age of 60 seconds is taken":            {edits{"spec.overflow.queue.maxAgeSeconds": 60}, ""},
		"an age over a week is refused":            {edits{"spec.overflow.queue.maxAgeSeconds": 604801}, "should be less than or equal to 604800"},
	})
}

func TestIntegrationClients(t *testing.T) {
	const exactlyOne = "exactly one of the fields in [serviceAccount apiKeyHashes crmCredentialHashes] must be set"
	hash := func(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }
	client := "spec.clients[0]."
	keys := func(hashes ...any) edits {
		return edits{client + "serviceAccount": nil, client + "apiKeyHashes": hashes}
	}
	many := func(n int) (out []any) {
		for i := range n {
			out = append(out, map[string]any{"name": fmt.Sprintf("c%d", i), "serviceAccount": map[string]any{"name": fmt.Sprintf("sa%d", i)}})
		}
		return out
	}
	judge(t, validIntegration, map[string]verdict{
		"no clients are refused":                    {edits{"spec.clients": nil}, "clients are required: name who may call, or set route to External"},
		"an empty list of clients is refused":       {edits{"spec.clients": []any{}}, "should have at least 1 items"},
		"16 clients are taken":                      {edits{"spec.clients": many(16)}, ""},
		"17 clients are refused":                    {edits{"spec.clients": many(17)}, "must have at most 16 items"},
		"two clients of one name are refused":       {edits{"spec.clients": append(many(1), many(1)...)}, "Duplicate value"},
		"a client without a name is refused":        {edits{client + "name": nil}, "name"},
		"a client's name with a capital is refused": {edits{client + "name": "Adapter"}, "name in body should match"},
		"a client's name of 64 letters is refused":  {edits{client + "name": strings.Repeat("c", 64)}, "may not be more than 63"},
		"neither account nor keys are refused":      {edits{client + "serviceAccount": nil}, exactlyOne},
		"account and keys are refused":              {edits{client + "apiKeyHashes": []any{hash("a")}}, exactlyOne},
		"one key is taken":                          {keys(hash("a")), ""},
		"two keys are taken":                        {keys(hash("a"), hash("b")), ""},
		"three keys are refused":                    {keys(hash("a"), hash("b"), hash("c")), "must have at most 2 items"},
		"no key is refused":                         {keys(), exactlyOne},
		"one key twice is refused":                  {keys(hash("a"), hash("a")), "Duplicate value"},
		"a clear key is refused":                    {keys("super-secret"), "should match"},
		"a hash in capitals is refused":             {keys(hash("A")), "should match"},
		"a hash that is too long is refused":        {keys(hash("a") + "a"), "may not be more than 71"},
		"a hash that is too short is refused":       {keys(strings.TrimSuffix(hash("a"), "a")), "should match"},
	})
}

func TestIntegrationCredentials(t *testing.T) {
	secret := map[string]any{"secretRef": map[string]any{"name": "marketing"}}
	brings := func(name string) map[string]any {
		return map[string]any{"name": name, "crmCredentialHashes": []any{"sha256:" + strings.Repeat(name, 64)}}
	}
	judge(t, validIntegration, map[string]verdict{
		"one kind is taken":                        {edits{"spec.credentials": map[string]any{"bearer": secret}}, ""},
		"two kinds are refused":                    {edits{"spec.credentials": map[string]any{"bearer": secret, "basic": secret}}, "exactly one of the fields in"},
		"no kind is refused":                       {edits{"spec.credentials": map[string]any{}}, "exactly one of the fields in"},
		"tokens from a URL are taken":              {edits{"spec.credentials": map[string]any{"oauthClient": map[string]any{"secretRef": map[string]any{"name": "a"}, "tokenURL": "https://acme.test/token"}}}, ""},
		"credentials that clients bring are taken": {edits{"spec.overflow": nil, "spec.clients": list(brings("a"), brings("b"))}, ""},
		"only some of them are refused":            {edits{"spec.overflow": nil, "spec.clients": list(brings("a"), map[string]any{"name": "b", "serviceAccount": map[string]any{"name": "b"}})}, "crmCredentialHashes must be set for all clients or for none"},
		"and queued calls are refused":             {edits{"spec.clients": list(brings("a"))}, "policy Queue must not be used where clients have crmCredentialHashes"},
		"and own credentials are refused":          {edits{"spec.overflow": nil, "spec.clients": list(brings("a")), "spec.credentials": map[string]any{"bearer": secret}}, "credentials must not be set where clients have crmCredentialHashes"},
		"a Secret without a name is refused":       {edits{"spec.credentials": map[string]any{"bearer": map[string]any{}}}, "spec.credentials.bearer.secretRef: Required value"},
	})
}
