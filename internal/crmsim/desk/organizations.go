// SPDX-License-Identifier: Apache-2.0

package desk

import "time"

// firstOrganizationID keeps the ids of organizations apart from others.
const firstOrganizationID = 800_001

// OrganizationInput is what a caller may set on an organization.
type OrganizationInput struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// CreateOrganizations queues a job that makes organizations.
func (d *Desk) CreateOrganizations(now time.Time, inputs []OrganizationInput) (JobStatus, error) {
	items := make([]item, len(inputs))
	for i, in := range inputs {
		items[i] = item{fails: "OrganizationCreateError", creates: true, run: func(time.Time) (int64, error) {
			if in.Name == "" {
				return 0, ErrBlank
			}
			id := firstOrganizationID + int64(d.organizationSeq)
			d.organizationSeq++
			d.organizations[id] = in.Name
			return id, nil
		}}
	}
	return d.queue(now, items)
}

// UpdateOrganizations queues a job that renames organizations.
func (d *Desk) UpdateOrganizations(now time.Time, inputs []OrganizationInput) (JobStatus, error) {
	items := make([]item, len(inputs))
	for i, in := range inputs {
		items[i] = item{fails: "OrganizationUpdateError", run: func(time.Time) (int64, error) {
			if _, known := d.organizations[in.ID]; !known {
				return 0, ErrNotFound
			}
			d.organizations[in.ID] = in.Name
			return in.ID, nil
		}}
	}
	return d.queue(now, items)
}

// DestroyOrganizations queues a job that deletes organizations.
func (d *Desk) DestroyOrganizations(now time.Time, ids []int64) (JobStatus, error) {
	return d.destroy(now, ids, "OrganizationDeleteError", func(_ time.Time, id int64) error {
		if _, known := d.organizations[id]; !known {
			return ErrNotFound
		}
		delete(d.organizations, id)
		return nil
	})
}
