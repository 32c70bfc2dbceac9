// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
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
		"enforcement that is unknown is refused": {edits{"spec.enforcement": "Observe"}, `spec.enforcement: Unsupported value: "Observe"`},
	})
	judgeUpdate(t, validIntegration, edits{}, map[string]verdict{
		"another CRM is refused": {edits{"spec.crmRef.name": "other"}, "spec.crmRef: Invalid value"},
		"another share is taken": {edits{"spec.share.guaranteedPercent": 10}, ""},
	})
}

func TestIntegrationShare(t *testing.T) {
	const either = "at most one of guaranteedPercent, guaranteedCalls may be set"
	const order = "guaranteedPercent must be less than or equal to maxPercent"
	calls := func(n int64) []any { return list(map[string]any{"limit": "minute", "calls": n}) }
	many := func(n int) (out []any) {
		for i := range n {
			out = append(out, map[string]any{"limit": fmt.Sprintf("l%d", i), "calls": 1})
		}
		return out
	}
	share := func(guaranteed []any) map[string]any { return map[string]any{"guaranteedCalls": guaranteed} }
	judge(t, validIntegration, map[string]verdict{
		"no share is taken":                          {edits{"spec.share": nil}, ""},
		"an empty share is taken":                    {edits{"spec.share": map[string]any{}}, ""},
		"a guarantee of 0 percent is taken":          {edits{"spec.share.guaranteedPercent": 0}, ""},
		"a guarantee of 100 percent is taken":        {edits{"spec.share.guaranteedPercent": 100}, ""},
		"a guarantee of 101 percent is refused":      {edits{"spec.share.guaranteedPercent": 101}, "should be less than or equal to 100"},
		"a guarantee of -1 percent is refused":       {edits{"spec.share.guaranteedPercent": -1}, "should be greater than or equal to 0"},
		"a guarantee in calls is taken":              {edits{"spec.share": share(calls(1))}, ""},
		"both guarantees are refused":                {edits{"spec.share.guaranteedCalls": calls(1)}, either},
		"0 guaranteed calls are refused":             {edits{"spec.share": share(calls(0))}, "should be greater than or equal to 1"},
		"a thousand million guaranteed are taken":    {edits{"spec.share": share(calls(1000000000))}, ""},
		"more guaranteed calls are refused":          {edits{"spec.share": share(calls(1000000001))}, "should be less than or equal to 1000000000"},
		"an empty list of guarantees is refused":     {edits{"spec.share": share([]any{})}, "should have at least 1 items"},
		"16 guarantees are taken":                    {edits{"spec.share": share(many(16))}, ""},
		"17 guarantees are refused":                  {edits{"spec.share": share(many(17))}, "must have at most 16 items"},
		"two guarantees in one limit are refused":    {edits{"spec.share": share(append(calls(1), calls(2)...))}, "Duplicate value"},
		"a guarantee without calls is refused":       {edits{"spec.share": share(list(map[string]any{"limit": "minute"}))}, "calls: Required value"},
		"a guarantee without a limit is refused":     {edits{"spec.share": share(list(map[string]any{"calls": 1}))}, "limit"},
		"maxPercent equal to the guarantee is taken": {edits{"spec.share.maxPercent": 60}, ""},
		"maxPercent below the guarantee is refused":  {edits{"spec.share.maxPercent": 59}, order},
		"maxPercent 0 is refused":                    {edits{"spec.share.maxPercent": 0}, "should be greater than or equal to 1"},
		"maxPercent 101 is refused":                  {edits{"spec.share.maxPercent": 101}, "should be less than or equal to 100"},
		"weight 0 is refused":                        {edits{"spec.share.weight": 0}, "should be greater than or equal to 1"},
		"weight 1000 is taken":                       {edits{"spec.share.weight": 1000}, ""},
		"weight 1001 is refused":                     {edits{"spec.share.weight": 1001}, "should be less than or equal to 1000"},
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
		"an age of 59 seconds is refused":          {edits{"spec.overflow.queue.maxAgeSeconds": 59}, "should be greater than or equal to 60"},
		"an age of 60 seconds is taken":            {edits{"spec.overflow.queue.maxAgeSeconds": 60}, ""},
		"an age over a week is refused":            {edits{"spec.overflow.queue.maxAgeSeconds": 604801}, "should be less than or equal to 604800"},
	})
}

func TestIntegrationClients(t *testing.T) {
	const exactlyOne = "exactly one of the fields in [serviceAccount apiKeyHashes] must be set"
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
		"no clients are refused":                    {edits{"spec.clients": nil}, "spec.clients: Required value"},
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
