// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/reference"
)

// unknown is the ID of no call.
const unknown call.ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

// place is where the answer to a call stands in a call that refers to it.
func place(id call.ID) string { return fmt.Sprintf("(crmquota:%s:ticket.id)", id) }

// refer has some calls refer to others: in their targets, in their bodies, or only to be sent after them.
func (r *run) refer(t *rapid.T, c *call.Call) {
	if len(r.refs) == 0 || rapid.IntRange(0, 2).Draw(t, "refers") > 0 {
		return
	}
	for range rapid.IntRange(1, 2).Draw(t, "to") {
		id := unknown
		if n := rapid.IntRange(-1, len(r.refs)-1).Draw(t, "call"); n >= 0 {
			id = r.refs[n].ID
		}
		if slices.Contains(c.References, id) {
			continue
		}
		c.References = append(c.References, id)
		switch rapid.SampledFrom([]string{"target", "body", "order"}).Draw(t, "where") {
		case "target":
			c.Target += "/" + place(id)
		case "body":
			c.Header = http.Header{"Content-Type": {"application/json"}}
			c.Body = []byte(`"` + place(id) + `"`)
		}
	}
}

// answerTo is what the CRM says: now and then, nothing that can be referred to.
func answerTo(t *rapid.T, id call.ID) *backlog.Answer {
	body := fmt.Sprintf(`{"ticket":{"id":"1-%s"}}`, id)
	if rapid.IntRange(0, 3).Draw(t, "short") == 0 {
		body = `{}`
	}
	return &backlog.Answer{Status: 200, Header: http.Header{"X": {"1"}}, Body: []byte(body)}
}

// refusesReferences says whether a new call refers to one that can never give it what it needs.
func (m *model) refusesReferences(c *call.Call) bool {
	return slices.ContainsFunc(c.References, func(id call.ID) bool {
		other, known := m.calls[backlog.Ref{Integration: c.Integration, ID: id}]
		return !known || other.result.State == call.StateFailed || other.result.State == call.StateDead
	})
}

// await notes, of a call that has been queued, what it waits for, and has the answers kept that are there.
func (m *model) await(ref backlog.Ref) {
	c := m.calls[ref]
	c.awaits = nil
	for _, id := range c.call.References {
		at := backlog.Ref{Integration: ref.Integration, ID: id}
		other, known := m.calls[at]
		switch {
		case !known:
		case !ended(other.result.State):
			c.awaits = append(c.awaits, id)
		default:
			m.keep(at, c.call.Expires)
		}
	}
	m.calls[ref] = c
}

// release frees those that wait for a call which has ended.
func (m *model) release(ref backlog.Ref) {
	c := m.calls[ref]
	c.awaits = nil
	m.calls[ref] = c
	for at, other := range m.calls {
		if at.Integration != ref.Integration || !slices.Contains(other.awaits, ref.ID) {
			continue
		}
		other.awaits = slices.DeleteFunc(slices.Clone(other.awaits), func(id call.ID) bool { return id == ref.ID })
		m.calls[at] = other
		m.keep(ref, other.call.Expires)
	}
}

// keep keeps an answer for a day after a call that refers to it has reached its age.
func (m *model) keep(ref backlog.Ref, expires time.Time) {
	c := m.calls[ref]
	if until := expires.Add(24 * time.Hour); c.due.Before(until) {
		c.due = until
	}
	m.calls[ref] = c
}

// fill is a call as it is sent, and false if it cannot be.
func (m *model) fill(c call.Call) (call.Call, bool) {
	for _, id := range c.References {
		other := m.calls[backlog.Ref{Integration: c.Integration, ID: id}]
		if other.result.State == "" || other.result.State == call.StateFailed || other.result.State == call.StateDead {
			return c, false
		}
		refers := strings.Contains(c.Target+string(c.Body), place(id))
		var answer struct{ Ticket struct{ ID string } }
		_ = json.Unmarshal(other.result.Body, &answer) // what cannot be read has no ID
		if refers && answer.Ticket.ID == "" {
			return c, false
		}
		c.Target = strings.ReplaceAll(c.Target, place(id), answer.Ticket.ID)
		c.Body = []byte(strings.ReplaceAll(string(c.Body), place(id), answer.Ticket.ID))
	}
	return c, true
}

// fillHead is a ready call as it is priced. Whether its body can be filled is not known of it.
func (m *model) fillHead(c modelCall) backlog.Head {
	bodiless := c.call
	bodiless.Body = nil
	if filled, ok := m.fill(bodiless); ok {
		c.head.Target = filled.Target
	} else {
		c.head.Unfillable = unfillable
	}
	return c.head
}

// unfillable stands for any words that say why.
const unfillable = "it cannot be filled"

// behind is the call that a queued one waits for; empty if it is ready.
func (m *model) behind(c modelCall) call.ID {
	switch {
	case len(c.awaits) > 0:
		return c.awaits[0]
	case !m.ready(c):
		return m.turn(c)
	}
	return ""
}

// sendable is a call as it is sent; nil if it cannot be.
func sendable(s backlog.Store, ref backlog.Ref) (*call.Call, error) {
	c, err := s.Call(ref)
	if _, refers := errors.AsType[*reference.Error](err); refers || errors.Is(err, call.ErrUnknown) {
		return nil, nil
	}
	return c, err
}
