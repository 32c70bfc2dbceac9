// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// guaranteedCase is people who ask, at random moments, for so many calls a window through an integration that has 60 % of the limit guaranteed, beside one that
// asks for all it can get. So much of the guarantee is lent, in percent, while it is not used and not forecast to be.
type guaranteedCase struct {
	perWindow float64
	lent      int64
}

// guaranteedCases are people who use most of what is guaranteed to them, and people who use a quarter of it.
var guaranteedCases = []guaranteedCase{{200, 50}, {60, 100}}

const (
	guaranteedPercent = 60
	// learningWindows: forecasts know the people after these.
	learningWindows   = 10
	guaranteedWindows = 300
)

// guaranteedRow is one contender's row: waits are those of the people's calls, from being asked for to their leaving.
func guaranteedRow(g guaranteedCase, c contender, seed uint64) row {
	l := drains[0].licence
	apps := []integration{
		{name: "people", weight: 1, guaranteed: guaranteedPercent, lent: g.lent, perWindow: g.perWindow},
		{name: "greedy", weight: 1, callers: l.calls + 1},
	}
	since := epoch.Add(learningWindows * l.window)
	random := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // repeatable on purpose
	w := newWorld(newDrain(c.make(epoch, l, apps, random), apps, since), l, epoch, seed, l.rolling())
	w.run(since.Add(guaranteedWindows * l.window))
	r := w.row(fmt.Sprintf(peopleWait, guaranteedPercent, g.perWindow, g.lent), c.name, guaranteedWindows)
	r.kind = guaranteed
	r.unfair = -1 // they are not to get equal parts
	r.p50, r.p99, r.most = quantiles(w.waits[0])
	return r
}

func guaranteedRows(seed uint64) []row {
	var runs []func() row
	for _, g := range guaranteedCases {
		for _, c := range contenders(limits.Exact, 0) {
			runs = append(runs, func() row { return guaranteedRow(g, c, seed) })
		}
	}
	return inParallel(runs)
}
