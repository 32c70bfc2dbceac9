// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import "testing"

func TestIntegrationPriorityHeader(t *testing.T) {
	judge(t, validIntegration, map[string]verdict{
		"Lower is taken":                     {edits{"spec.priorityHeader": "Lower"}, ""},
		"Follow is taken":                    {edits{"spec.priorityHeader": "Follow"}, ""},
		"a word that is unknown is refused":  {edits{"spec.priorityHeader": "Heed"}, `spec.priorityHeader: Unsupported value: "Heed"`},
		"External takes Ignore, the default": {edits{"spec.route": "External", "spec.clients": nil, "spec.overflow": nil, "spec.priorityHeader": "Ignore"}, ""},
		"with route External Lower is refused": {edits{
			"spec.route": "External", "spec.clients": nil, "spec.overflow": nil, "spec.priorityHeader": "Lower",
		}, "priorityHeader must be Ignore with route External"},
	})
}
