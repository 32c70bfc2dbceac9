// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/json"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

func (z *Zendesk) createOrganizations(c *crm.Call) crm.Reply {
	return z.manyOrganizations(c, func(all []desk.OrganizationInput) (desk.JobStatus, error) {
		return z.desk.CreateOrganizations(c.Now, all)
	})
}

func (z *Zendesk) updateOrganizations(c *crm.Call) crm.Reply {
	return z.manyOrganizations(c, func(all []desk.OrganizationInput) (desk.JobStatus, error) {
		return z.desk.UpdateOrganizations(c.Now, all)
	})
}

func (z *Zendesk) manyOrganizations(c *crm.Call, queue func([]desk.OrganizationInput) (desk.JobStatus, error)) crm.Reply {
	var body struct {
		Organizations []desk.OrganizationInput `json:"organizations"`
	}
	if err := json.Unmarshal(c.Body, &body); err != nil || len(body.Organizations) == 0 {
		return malformed(`{"organizations": [{...}, ...]}`)
	}
	return z.startJob(c, func() (desk.JobStatus, error) { return queue(body.Organizations) })
}

func (z *Zendesk) destroyOrganizations(c *crm.Call) crm.Reply {
	return z.destroy(c, z.desk.DestroyOrganizations)
}
