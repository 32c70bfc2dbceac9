// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// integration is one app that uses the licence.
type integration struct {
	name   string
	weight int64
	// guaranteed is its guarantee in percent of the limit.
	guaranteed int64
	// lent percent of the guarantee may be borrowed by others while it is not used and not forecast to be.
	lent int64
	// callers ask again as soon as they are answered.
	callers int
	// perWindow calls are asked for in each window by people, each independent of all others.
	perWindow float64
}

// ours is the project's own ledger, sharing and forecast, put together as its dispatcher does.
type ours struct {
	book    *ledger.Ledger
	sharing *fairshare.Sharing
	// costs of calls by owner.
	costs []ledger.Cost
	id    ledger.ID
	// foreseen are the forecasts of each integration, and how many of its calls wait.
	foreseen []foreseen
	// forecastAt is when all forecasts were made last.
	forecastAt time.Time
}

type foreseen struct {
	history *forecast.History
	demands []*forecast.Demand // by limit
	waiting int64
	// fresh is set when a call was asked for since the last forecast.
	fresh bool
}

const (
	// forecastEvery is how old the forecast of an integration that asks for nothing new may become.
	forecastEvery = time.Second
	// fadeEvery is how soon those who wait are looked at again because forecasts have faded.
	fadeEvery = 10 * time.Second
)

// newOurs keeps the limits for the integrations from now on. Every call counts 1 in each limit.
func newOurs(now time.Time, ls []limits.Limit, g limits.Guards, apps []integration) *ours {
	book, err := ledger.New(now, ls, g)
	if err != nil {
		panic(err) // the limits are written in this program
	}
	o := &ours{book: book, sharing: fairshare.New(book), foreseen: make([]foreseen, len(apps))}
	one := slices.Repeat(ledger.Cost{1}, len(ls))
	shares := map[string]fairshare.Share{}
	for i, app := range apps {
		book.Owner(app.name) // owners have the numbers of the integrations
		shares[app.name] = fairshare.Share{
			Part:   fairshare.Part{Guaranteed: fairshare.Amount{Percent: app.guaranteed}, Ceiling: fairshare.Amount{Percent: 100}},
			Weight: app.weight, LendPercent: app.lent,
		}
		o.costs = append(o.costs, one)
		o.foreseen[i].history = forecast.NewHistory(time.UTC)
		for _, l := range ls {
			o.foreseen[i].demands = append(o.foreseen[i].demands, forecast.NewDemand(l, o.foreseen[i].history))
		}
	}
	o.sharing.SetShares(shares)
	return o
}

func (o *ours) asked(now time.Time, owner int) {
	f := &o.foreseen[owner]
	f.history.Ask(now, 1)
	for k, d := range f.demands {
		d.Ask(now, o.costs[owner][k])
	}
	f.waiting++
	f.fresh = true
}

func (o *ours) offer(owner int, since time.Time) {
	o.sharing.Offer(fairshare.Head{Owner: ledger.Owner(owner), Lane: fairshare.Waiting, Cost: o.costs[owner], Since: since})
}

// foresee tells the sharing what each integration is expected to ask for.
func (o *ours) foresee(now time.Time) {
	all := now.Sub(o.forecastAt) >= forecastEvery
	if all {
		o.forecastAt = now
	}
	for i := range o.foreseen {
		f := &o.foreseen[i]
		if !all && !f.fresh {
			continue
		}
		f.fresh = false
		for k, d := range f.demands {
			_, p95 := d.Until(now, forecast.Present{Used: o.book.UsedBy(k, ledger.Owner(i)), Waiting: f.waiting})
			o.sharing.SetDemand(k, ledger.Owner(i), p95)
		}
	}
}

func (o *ours) next(now time.Time) (owner int, id uint64, again time.Time, ok bool) {
	o.book.Advance(now)
	o.foresee(now)
	choice, ok := o.sharing.Pick(now)
	if !ok {
		again = now.Add(fadeEvery)
		if release, due := o.book.NextRelease(); due && release.Before(again) {
			again = release
		}
		return 0, 0, again, false
	}
	o.id++
	if err := o.sharing.Charge(now, o.id, choice, ledger.NoRecord); err != nil {
		panic(err) // a new ID and the cost that was offered
	}
	f := &o.foreseen[choice.Owner]
	f.waiting--
	for k, d := range f.demands {
		d.Send(now, choice.Cost[k])
	}
	return int(choice.Owner), uint64(o.id), time.Time{}, true
}

func (o *ours) answered(now time.Time, id uint64) {
	if err := o.book.Settle(ledger.ID(id), now); err != nil {
		panic(err) // every call is answered once
	}
}
