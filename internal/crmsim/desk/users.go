// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"errors"
	"strings"
	"time"
)

// ErrTaken says that another user has the e-mail address.
var ErrTaken = errors.New("the e-mail address is taken by another user")

// UserInput is what a caller may set on a user. On an update absent fields stay as they are.
type UserInput struct {
	ID         int64   `json:"id"`
	Name       string  `json:"name"`
	Email      string  `json:"email"`
	Phone      string  `json:"phone"`
	ExternalID *string `json:"external_id"`
}

// CreateUser makes a user. E-mail addresses are unique.
func (d *Desk) CreateUser(in UserInput) (User, error) {
	switch {
	case in.Name == "":
		return User{}, ErrBlank
	case in.Email != "" && d.userBy(in) != nil:
		return User{}, ErrTaken
	case len(d.users) >= d.options.Users+d.options.MaxTickets:
		return User{}, ErrFull
	}
	d.users = append(d.users, User{ID: firstUserID + int64(len(d.users)), Role: "end-user"})
	u := &d.users[len(d.users)-1]
	u.apply(in)
	return *u, nil
}

// UpdateUser changes a user.
func (d *Desk) UpdateUser(id int64, in UserInput) (User, error) {
	i := id - firstUserID
	if i < 0 || i >= int64(len(d.users)) {
		return User{}, ErrNotFound
	}
	d.users[i].apply(in)
	return d.users[i], nil
}

// UpsertUser changes the user with the same external id or e-mail address, or makes one.
func (d *Desk) UpsertUser(in UserInput) (u User, created bool, err error) {
	if known := d.userBy(in); known != nil {
		known.apply(in)
		return *known, false, nil
	}
	u, err = d.CreateUser(in)
	return u, true, err
}

func (d *Desk) userBy(in UserInput) *User {
	for i := range d.users {
		u := &d.users[i]
		if in.ExternalID != nil && u.ExternalID != nil && *in.ExternalID == *u.ExternalID || in.Email != "" && strings.EqualFold(in.Email, u.Email) {
			return u
		}
	}
	return nil
}

func (u *User) apply(in UserInput) {
	for _, field := range []struct {
		to   *string
		from string
	}{{&u.Name, in.Name}, {&u.Email, in.Email}, {&u.Phone, in.Phone}} {
		if field.from != "" {
			*field.to = field.from
		}
	}
	if in.ExternalID != nil {
		u.ExternalID = in.ExternalID
	}
}

// CreateUsers queues a job that creates users; with upsert it changes those that are known.
func (d *Desk) CreateUsers(now time.Time, inputs []UserInput, upsert bool) (JobStatus, error) {
	items := make([]item, len(inputs))
	for i, in := range inputs {
		items[i] = item{fails: "UserCreateError", creates: true, run: func(time.Time) (int64, error) {
			if upsert {
				u, _, err := d.UpsertUser(in)
				return u.ID, err
			}
			u, err := d.CreateUser(in)
			return u.ID, err
		}}
	}
	return d.queue(now, items)
}

// UpdateUsers queues a job that changes users.
func (d *Desk) UpdateUsers(now time.Time, inputs []UserInput) (JobStatus, error) {
	items := make([]item, len(inputs))
	for i, in := range inputs {
		items[i] = item{fails: "UserUpdateError", run: func(time.Time) (int64, error) {
			u, err := d.UpdateUser(in.ID, in)
			return u.ID, err
		}}
	}
	return d.queue(now, items)
}
