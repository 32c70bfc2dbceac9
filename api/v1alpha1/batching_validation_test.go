// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import "testing"

func TestIntegrationBatching(t *testing.T) {
	batching := func(fields map[string]any) edits { return edits{"spec.batching": fields} }
	judge(t, validIntegration, map[string]verdict{
		"Always is taken":                          {batching(map[string]any{"mode": "Always"}), ""},
		"all fields are taken":                     {batching(map[string]any{"mode": "WhenWaiting", "maxItems": 100, "maxLingerSeconds": 60, "operations": []any{"CreateTicket"}}), ""},
		"Off is taken":                             {batching(map[string]any{"mode": "Off"}), ""},
		"Off with maxItems is refused":             {batching(map[string]any{"mode": "Off", "maxItems": 2}), "must not be set with mode Off"},
		"Off with operations is refused":           {batching(map[string]any{"mode": "Off", "operations": []any{"CreateTicket"}}), "must not be set with mode Off"},
		"folded updates are taken":                 {batching(map[string]any{"updates": "Folded"}), ""},
		"Off with separate updates is taken":       {batching(map[string]any{"mode": "Off", "updates": "Separate"}), ""},
		"Off with folded updates is refused":       {batching(map[string]any{"mode": "Off", "updates": "Folded"}), "updates: Folded must not be set with mode Off"},
		"another word for updates is refused":      {batching(map[string]any{"updates": "Merged"}), `spec.batching.updates: Unsupported value: "Merged"`},
		"bulk calls across integrations are taken": {batching(map[string]any{"sharing": "AcrossIntegrations"}), ""},
		"Off within the integration is taken":      {batching(map[string]any{"mode": "Off", "sharing": "SameIntegration"}), ""},
		"Off across integrations is refused":       {batching(map[string]any{"mode": "Off", "sharing": "AcrossIntegrations"}), "sharing: AcrossIntegrations must not be set with mode Off"},
		"another word for sharing is refused":      {batching(map[string]any{"sharing": "Everybody"}), `spec.batching.sharing: Unsupported value: "Everybody"`},
		"a mode that is unknown is refused":        {batching(map[string]any{"mode": "Never"}), `spec.batching.mode: Unsupported value: "Never"`},
		"one item is refused":                      {batching(map[string]any{"maxItems": 1}), "should be greater than or equal to 2"},
		"1001 items are refused":                   {batching(map[string]any{"maxItems": 1001}), "should be less than or equal to 1000"},
		"to linger for no time is refused":         {batching(map[string]any{"maxLingerSeconds": 0}), "should be greater than or equal to 1"},
		"to linger for longer than 60 is refused":  {batching(map[string]any{"maxLingerSeconds": 61}), "should be less than or equal to 60"},
		"an operation twice is refused":            {batching(map[string]any{"operations": []any{"CreateTicket", "CreateTicket"}}), "spec.batching.operations[1]: Duplicate value"},
		"with route External it is refused": {edits{
			"spec.route": "External", "spec.clients": nil, "spec.overflow": nil, "spec.batching": map[string]any{"mode": "Always"},
		}, "batching must not be set with route External"},
	})
}
