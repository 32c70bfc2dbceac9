// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"fmt"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

const (
	maxBatchItems    = 1000
	maxLingerSeconds = 60
)

func (p *problems) batching(b *contract.Batching, adapter provider.Provider, field string) {
	if b == nil {
		return
	}
	p.require(b.Mode == contract.BatchWhenWaiting || b.Mode == contract.BatchAlways, field+".mode", "%q is neither WhenWaiting nor Always", b.Mode)
	p.require(b.MaxItems != 1, field+".maxItems", "one call does not go together")
	p.within(b.MaxItems, 0, maxBatchItems, field+".maxItems")
	p.within(b.MaxLingerSeconds, 0, maxLingerSeconds, field+".maxLingerSeconds")
	for i, o := range b.Operations {
		if adapter == nil {
			break
		}
		operation, known := provider.Operation(adapter, o)
		p.require(known && provider.Merges(adapter, operation, true), fmt.Sprintf("%s.operations[%d]", field, i), "%q is not an operation that %s has a bulk call for", o, adapter.Name())
	}
}
