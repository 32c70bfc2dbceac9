// SPDX-License-Identifier: Apache-2.0

package desk

import "time"

// deleted is the status of a ticket that is not to be found any more.
const deleted = "deleted"

// DestroyMany queues a job that deletes tickets.
func (d *Desk) DestroyMany(now time.Time, ids []int64) (JobStatus, error) {
	return d.destroy(now, ids, "TicketDeleteError", func(at time.Time, id int64) error {
		t, err := d.find(id)
		if err != nil {
			return err
		}
		t.Status, t.UpdatedAt = deleted, at.UTC()
		return nil
	})
}

// DestroyUsers queues a job that deletes users. Their numbers are not given out again.
func (d *Desk) DestroyUsers(now time.Time, ids []int64) (JobStatus, error) {
	return d.destroy(now, ids, "UserDeleteError", func(_ time.Time, id int64) error {
		_, err := d.UpdateUser(id, UserInput{})
		if err == nil {
			d.users[id-firstUserID] = User{ID: id, Role: deleted}
		}
		return err
	})
}

func (d *Desk) destroy(now time.Time, ids []int64, fails string, one func(at time.Time, id int64) error) (JobStatus, error) {
	items := make([]item, len(ids))
	for i, id := range ids {
		items[i] = item{fails: fails, run: func(at time.Time) (int64, error) { return id, one(at, id) }}
	}
	return d.queue(now, items)
}
