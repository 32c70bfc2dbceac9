// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"maps"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/hubspot"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/salesforce"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/zendesk"
)

const defaultCRM = "Zendesk"

// crms make the products that can be played.
var crms = map[string]func(crm.Options) crm.CRM{
	"HubSpot":    hubspot.New,
	"Salesforce": salesforce.New,
	"Zendesk":    zendesk.New,
}

// licences are the limits of a common licence of each, in the text form of limits.
var licences = map[string][]string{
	"HubSpot":    hubspot.Limits,
	"Salesforce": salesforce.Limits,
	"Zendesk":    zendesk.Limits,
}

// Names are the products that can be played, sorted.
func Names() []string { return slices.Sorted(maps.Keys(crms)) }

// Licence returns the limits that a common licence of a product has; none for a name that is not one of Names.
func Licence(name string) []limit.Limit { return limit.MustParse(licences[name]...) }
