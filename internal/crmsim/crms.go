// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"maps"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/dynamics365"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/freshdesk"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/hubspot"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/intercom"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/kustomer"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/pipedrive"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/salesforce"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/servicenow"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/zendesk"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/zoho"
)

const defaultCRM = "Zendesk"

// product is a CRM that can be played.
type product struct {
	open func(crm.Options) crm.CRM
	// licence are the limits of a common licence, in the text form of limits.
	licence []string
}

var products = map[string]product{
	"Dynamics365": {dynamics365.New, dynamics365.Limits},
	"Freshdesk":   {freshdesk.New, freshdesk.Limits},
	"HubSpot":     {hubspot.New, hubspot.Limits},
	"Intercom":    {intercom.New, intercom.Limits},
	"Kustomer":    {kustomer.New, kustomer.Limits},
	"Pipedrive":   {pipedrive.New, pipedrive.Limits},
	"Salesforce":  {salesforce.New, salesforce.Limits},
	"ServiceNow":  {servicenow.New, servicenow.Limits},
	"Zendesk":     {zendesk.New, zendesk.Limits},
	"ZohoCRM":     {zoho.New, zoho.Limits},
}

// Names are the products that can be played, sorted.
func Names() []string { return slices.Sorted(maps.Keys(products)) }

// Licence returns the limits that a common licence of a product has; none for a name that is not one of Names.
func Licence(name string) []limit.Limit { return limit.MustParse(products[name].licence...) }
