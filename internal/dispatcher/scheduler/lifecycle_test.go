// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestAfter(t *testing.T) {
	const d = time.Minute
	classes := map[string]struct {
		repeat   call.Repeat
		progress backlog.Progress
	}{
		"never":         {repeat: call.Repeat{Class: call.RepeatNever}},
		"idempotent":    {repeat: call.Repeat{Class: call.RepeatIdempotent}},
		"key known":     {repeat: keyed, progress: backlog.Progress{Attempts: 1, FirstSent: noon.Add(-109*time.Minute + time.Nanosecond)}},
		"key too old":   {repeat: keyed, progress: backlog.Progress{Attempts: 1, FirstSent: noon.Add(-109 * time.Minute)}},
		"key never out": {repeat: keyed},
	}
	table := map[string]struct {
		what fate
		want map[string]call.State
	}{
		"nothing left for the CRM": {unsent, map[string]call.State{
			"never": call.StateQueued, "idempotent": call.StateQueued, "key known": call.StateQueued, "key too old": call.StateParked, "key never out": call.StateQueued,
		}},
		"refused for quota": {refused, map[string]call.State{
			"never": call.StateQueued, "idempotent": call.StateQueued, "key known": call.StateQueued, "key too old": call.StateParked, "key never out": call.StateQueued,
		}},
		"the credentials are not taken": {unauthorised, map[string]call.State{
			"never": call.StateQueued, "idempotent": call.StateQueued, "key known": call.StateQueued, "key too old": call.StateParked, "key never out": call.StateQueued,
		}},
		"a good answer":     {succeeded, all(call.StateSucceeded)},
		"a bad answer":      {failed, all(call.StateFailed)},
		"a gateway's error": {unavailable, unknown},
		"no answer":         {lost, unknown},
	}
	for name, row := range table {
		for class, want := range row.want {
			t.Run(name+", "+class, func(t *testing.T) {
				c := classes[class]
				got, reason := after(row.what, c.repeat, c.progress, noon, d)
				if got != want {
					t.Errorf("the call is %s, want %s", got, want)
				}
				if (got == call.StateParked) != (reason != "") {
					t.Errorf("%s for reason %q", got, reason)
				}
			})
		}
	}
}

var (
	keyed   = call.Repeat{Class: call.RepeatKeyed, KeyValidFor: 2 * time.Hour}
	unknown = map[string]call.State{
		"never": call.StateParked, "idempotent": call.StateQueued, "key known": call.StateQueued, "key too old": call.StateParked,
	}
)

func all(s call.State) map[string]call.State {
	return map[string]call.State{"never": s, "idempotent": s, "key known": s, "key too old": s, "key never out": s}
}

func TestFateOfStatus(t *testing.T) {
	for status, want := range map[int]fate{200: succeeded, 201: succeeded, 301: failed, 401: unauthorised, 403: failed, 404: failed, 422: failed, 500: failed, 502: unavailable, 503: unavailable, 504: unavailable} {
		if got := fateOf(status); got != want {
			t.Errorf("%d is fate %d, want %d", status, got, want)
		}
	}
}
