// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

func userOf(c *crm.Call) (in desk.UserInput, ok bool) {
	var body struct {
		User *desk.UserInput `json:"user"`
	}
	if err := json.Unmarshal(c.Body, &body); err != nil || body.User == nil {
		return in, false
	}
	return *body.User, true
}

func (z *Zendesk) createUser(c *crm.Call) crm.Reply {
	in, ok := userOf(c)
	if !ok {
		return malformed(`{"user": {...}}`)
	}
	u, err := z.desk.CreateUser(in)
	return z.userReply(c, http.StatusCreated, u, err)
}

func (z *Zendesk) upsertUser(c *crm.Call) crm.Reply {
	in, ok := userOf(c)
	if !ok {
		return malformed(`{"user": {...}}`)
	}
	u, created, err := z.desk.UpsertUser(in)
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return z.userReply(c, status, u, err)
}

func (z *Zendesk) updateUser(c *crm.Call) crm.Reply {
	in, ok := userOf(c)
	if !ok {
		return malformed(`{"user": {...}}`)
	}
	id, _ := strconv.ParseInt(c.Record, 10, 64) // what is no number names nobody
	u, err := z.desk.UpdateUser(id, in)
	return z.userReply(c, http.StatusOK, u, err)
}

func (z *Zendesk) userReply(c *crm.Call, status int, u desk.User, err error) crm.Reply {
	if err != nil {
		return deskFailure(err)
	}
	return crm.JSON(status, map[string]any{"user": z.linkedUsers(c, []desk.User{u})[0]})
}

func usersOf(c *crm.Call) ([]desk.UserInput, bool) {
	var body struct {
		Users []desk.UserInput `json:"users"`
	}
	err := json.Unmarshal(c.Body, &body)
	return body.Users, err == nil && len(body.Users) > 0
}

func (z *Zendesk) createUsers(c *crm.Call) crm.Reply { return z.manyUsers(c, false) }
func (z *Zendesk) upsertUsers(c *crm.Call) crm.Reply { return z.manyUsers(c, true) }

func (z *Zendesk) manyUsers(c *crm.Call, upsert bool) crm.Reply {
	users, ok := usersOf(c)
	if !ok {
		return malformed(`{"users": [{...}, ...]}`)
	}
	return z.startJob(c, func() (desk.JobStatus, error) { return z.desk.CreateUsers(c.Now, users, upsert) })
}

func (z *Zendesk) updateUsers(c *crm.Call) crm.Reply {
	users, ok := usersOf(c)
	if !ok {
		return malformed(`{"users": [{"id": 1, ...}, ...]}`)
	}
	return z.startJob(c, func() (desk.JobStatus, error) { return z.desk.UpdateUsers(c.Now, users) })
}
