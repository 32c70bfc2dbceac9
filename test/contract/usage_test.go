// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// askUsage asks what has been used as a dispatcher does, and returns what the answer tells.
func (c *target) askUsage(usage dialect.Usage) []dialect.Reading {
	c.Helper()
	got := c.send(call{usage.Ask.Operation, usage.Ask.Method, usage.Ask.Target, "", []string{"Accept", "application/json"}})
	if got.status != http.StatusOK {
		c.Errorf("%s %s is answered %d: %s", usage.Ask.Method, usage.Ask.Target, got.status, got.body)
	}
	readings := c.provider.Readings(got.header, time.Now())
	if usage.Read != nil {
		told := usage.Read(got.body, time.Now())
		if len(told) == 0 {
			c.Errorf("the body tells nothing: %s", got.body)
		}
		readings = dialect.Together(readings, told)
	}
	return readings
}

// TestUsageIsTold: the call by which an adapter asks what has been used tells of a limit, and of every call that was made since it told last.
func TestUsageIsTold(t *testing.T) {
	for _, s := range suites {
		t.Run(s.provider, func(t *testing.T) {
			c := open(t, s, s.shown...)
			usage, tells := c.provider.Usage()
			if !tells {
				t.Skip("it does not tell")
			}
			before := c.askUsage(usage)
			const calls = 3
			probe, _ := c.filled(s.probe)
			for range calls {
				c.send(probe)
			}
			after := c.askUsage(usage)
			if len(before) == 0 || len(after) != len(before) {
				t.Fatalf("it tells %+v, and then %+v", before, after)
			}
			for i, was := range before {
				is := after[i]
				if was.Limit < 1 || is.Limit != was.Limit || was.Remaining == nil || is.Remaining == nil {
					t.Errorf("it tells %+v, and then %+v", was, is)
					continue
				}
				if used := *was.Remaining - *is.Remaining; !isSandbox() && used != calls+1 { // in a sandbox others may call, and windows end
					t.Errorf("%d calls were made, and %d of %+v are used", calls+1, used, was)
				}
			}
		})
	}
}

// TestHubSpotTellsWhenItsDayEnds, which no header does.
func TestHubSpotTellsWhenItsDayEnds(t *testing.T) {
	simulatedOnly(t)
	c := open(t, hubspotSuite, hubspotSuite.shown...)
	usage, _ := c.provider.Usage()
	now := time.Now().UTC()
	midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)
	readings := c.askUsage(usage)
	day := slices.IndexFunc(readings, func(r dialect.Reading) bool { return r.Day })
	if day < 0 || (readings[day].Resets-midnight).Abs() > time.Minute {
		t.Errorf("it tells %+v, and the day ends in %s", readings, midnight)
	}
}

// TestSalesforceTellsOfApps that have a quota of their own.
func TestSalesforceTellsOfApps(t *testing.T) {
	simulatedOnly(t)
	c := open(t, salesforceSuite, "day=100000/24h", "app=250/24h,per=credential")
	usage, _ := c.provider.Usage()
	probe, _ := c.filled(salesforceSuite.probe)
	for range 4 {
		c.send(probe)
	}
	readings := c.askUsage(usage)
	if len(readings) != 1 || len(readings[0].Apps) != 1 || readings[0].Apps[0].Used != 5 || *readings[0].Remaining != 99_995 {
		t.Errorf("it tells %+v", readings)
	}
}

// TestSalesforceTellsOfAllAppsInItsLogs: on the next day it tells of the calls of each in the day before, and of none twice.
func TestSalesforceTellsOfAllAppsInItsLogs(t *testing.T) {
	simulatedOnly(t)
	config := crmsim.Config{
		Limits:     limit.MustParse("day=100000/24h"),
		Background: []crmsim.Background{{Calls: 100, Per: time.Hour, Call: limit.Call{Credential: "etl"}}},
	}
	inBubble(t, salesforceSuite, "logs", config, func(c *target) { // it begins at midnight UTC
		usage, _ := c.provider.Usage()
		get := func(ask dialect.Request) answer {
			return c.send(call{ask.Operation, ask.Method, ask.Target, "", []string{"Accept", "application/json"}})
		}
		if log, is := usage.Logs.ReadNewest(get(usage.Logs.Newest).body); is {
			c.Errorf("on the first day there is already %+v", log)
		}
		began := time.Now().UTC()
		probe, _ := c.filled(salesforceSuite.probe)
		for range 4 {
			c.send(probe)
		}
		time.Sleep(30 * time.Hour)
		log, is := usage.Logs.ReadNewest(get(usage.Logs.Newest).body)
		if !is || !log.Day.Equal(began.Truncate(24*time.Hour)) {
			c.Fatalf("on the second day the newest log is %+v, %t", log, is)
		}
		file := get(log.Ask)
		apps, err := usage.Logs.Count(bytes.NewReader(file.body))
		if err != nil || file.status != http.StatusOK || int64(len(file.body)) != log.Bytes || len(apps) != 2 {
			c.Fatalf("%d, %d bytes: %+v, %v", file.status, len(file.body), apps, err)
		}
		if etl, ours := apps[0], apps[1]; etl.Name != "etl" || etl.Used < 2200 || etl.Used > 2600 || ours.Used != 5 {
			c.Errorf("the applications are %+v", apps)
		}
	})
}
