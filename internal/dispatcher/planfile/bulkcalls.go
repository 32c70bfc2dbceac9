// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

var (
	operationName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	plainPath     = regexp.MustCompile(`^(/[-._~:@$A-Za-z0-9]+)+$`)
)

// bulkCalls checks how single calls of an API without an adapter become one.
func (p *problems) bulkCalls(all []contract.BulkCall) {
	p.require(len(all) <= maxRules, "generic.bulkCalls", "there are %d, more than %d", len(all), maxRules)
	for i, b := range all {
		field := fmt.Sprintf("generic.bulkCalls[%d]", i)
		p.require(operationName.MatchString(b.Operation), field+".operation", "%q is not the name of an operation", b.Operation)
		for _, path := range []string{b.Path, b.BulkPath} {
			p.require(plainPath.MatchString(path), field, "%q is not a path without patterns", path)
		}
		p.require(b.Path != b.BulkPath, field, "path and bulkPath are the same")
		p.within(b.MaxItems, 2, maxBatchItems, field+".maxItems")
		p.member(b.ID, field+".id")
		for _, m := range [][]string{b.Items, b.Results, b.Answer} {
			p.require(len(m) <= maxMemberDepth && !slices.Contains(m, ""), field, "%q is not the path of a member", m)
		}
		if b.Outcome != nil {
			p.member(b.Outcome.Member, field+".outcome.member")
			p.require(len(b.Outcome.Succeeded) > 0 && len(b.Outcome.Failed) > 0, field+".outcome", "needs values of success and of failure")
		}
		same := func(o contract.BulkCall) bool { return o.Operation == b.Operation || o.Path == b.Path }
		p.require(!slices.ContainsFunc(all[:i], same), field, "its operation or path is there twice")
	}
}
