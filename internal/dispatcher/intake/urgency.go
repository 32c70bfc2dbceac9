// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// ordinary is the urgency of a request that does not say one.
const ordinary = 3

// urgency reads from the Priority header (RFC 9218) by how many steps a call is less urgent, or more urgent if it is below 0, than others of its integration, as far as
// that lets its clients say so. What cannot be understood is ignored, as the RFC asks; of several the last counts.
func urgency(header http.Header, of *contract.Integration) int8 {
	steps := int8(0)
	for _, value := range header.Values("Priority") {
		for member := range strings.SplitSeq(value, ",") {
			member, _, _ = strings.Cut(member, ";")
			text, is := strings.CutPrefix(strings.Trim(member, " \t"), "u=")
			if is && len(text) == 1 && '0' <= text[0] && text[0] <= '7' {
				steps = int8(text[0]-'0') - ordinary
			}
		}
	}
	return min(max(steps, of.MostUrgent), of.LeastUrgent)
}
