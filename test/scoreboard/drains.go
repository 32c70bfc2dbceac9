// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// contender is a limiter that takes part.
type contender struct {
	name string
	// make returns one that starts at a moment and knows nothing of what was sent before.
	make func(now time.Time, l licence, apps []integration, random *rand.Rand) limiter
}

const oursName = "crm-quota-operator"

// contenders are ours, with the CRM's way of counting, and the peers. The token bucket is as large as the CRM's, if that has one.
// Those with windows of their own have them at some phase of the CRM's.
func contenders(counting limits.Counting, burst int) []contender {
	gated := func(name string, open func(l licence, phase time.Duration) gate) contender {
		return contender{name, func(_ time.Time, l licence, apps []integration, random *rand.Rand) limiter {
			return newFirstCome(len(apps), open(l, time.Duration(random.Int64N(int64(l.window)))))
		}}
	}
	return []contender{
		{oursName, func(now time.Time, l licence, apps []integration, _ *rand.Rand) limiter {
			return newOurs(now, []limits.Limit{l.limit(counting, burst)}, limits.DefaultGuards(), apps)
		}},
		gated("fixed window", func(l licence, phase time.Duration) gate { return &fixedWindow{licence: l, phase: phase} }),
		gated("token bucket", func(l licence, _ time.Duration) gate { return newTokenBucket(l, cmp.Or(burst, l.calls)) }),
		gated("weighted window", func(l licence, phase time.Duration) gate { return &weightedCounter{licence: l, phase: phase} }),
		gated("log on send", func(l licence, _ time.Duration) gate { return &sendLog{licence: l} }),
	}
}

// limit is the licence's limit in terms of the domain.
func (l licence) limit(counting limits.Counting, burst int) limits.Limit {
	return limits.Limit{
		Name: "limit", Kind: limits.Rolling, Max: int64(l.calls), Window: l.window, Counting: counting, Burst: int64(burst),
	}
}

// three integrations that always have calls waiting: the one with the least weight has the most callers.
func three(l licence) []integration {
	return []integration{
		{name: "a", weight: 3, callers: l.calls + 1},
		{name: "b", weight: 2, callers: l.calls + 1},
		{name: "c", weight: 1, callers: 3 * (l.calls + 1)},
	}
}

// virtualDrain is a saturated drain in virtual time, of as many windows after the first.
func virtualDrain(section string, c contender, l licence, apps []integration, windows int, seed uint64) row {
	random := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // repeatable on purpose
	since := epoch.Add(l.window)
	w := newWorld(newDrain(c.make(epoch, l, apps, random), apps, since), l, epoch, seed, l.rolling())
	w.run(since.Add(time.Duration(windows) * l.window))
	return w.row(section, c.name, windows)
}

// Sections of the table.
const (
	threeWaiting = "Three integrations that always have calls waiting: weights 3, 2, 1, callers 1:1:3; judged by crmsim in virtual time"
	oneWaiting   = "One integration alone that always has calls waiting; judged by crmsim in virtual time"
	peopleWait   = "%d %% guaranteed to people who ask for %.0f a window, %d %% of it lent, beside a greedy integration: the people's waits; judged by crmsim"
)

// drains are the licences of the saturated drains and for how many windows each is measured.
var drains = []struct {
	licence licence
	windows int
}{
	{licence{400, time.Minute}, 300},
	{licence{100, 10 * time.Second}, 1000},
	{licence{40, 2 * time.Second}, 2000},
	{licence{2500, 24 * time.Hour}, 60},
}

// virtualDrains are the rows judged by crmsim.
func virtualDrains(seed uint64) []row {
	var runs []func() row
	for _, d := range drains {
		for _, c := range contenders(limits.Exact, 0) {
			runs = append(runs, func() row {
				return virtualDrain(threeWaiting, c, d.licence, three(d.licence), d.windows, seed)
			})
		}
	}
	for _, d := range drains {
		runs = append(runs, func() row {
			alone := []integration{{name: "a", weight: 1, callers: d.licence.calls + 1}}
			return virtualDrain(oneWaiting, contenders(limits.Exact, 0)[0], d.licence, alone, d.windows, seed)
		})
	}
	return inParallel(runs)
}

// inParallel runs all of them, two at a time, and keeps their order.
func inParallel(runs []func() row) []row {
	rows := make([]row, len(runs))
	var group errgroup.Group
	group.SetLimit(2)
	for i, run := range runs {
		group.Go(func() error {
			rows[i] = run()
			return nil
		})
	}
	_ = group.Wait() // none fails
	return rows
}
