// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// foreignDrains are the licences that foreign judges keep, and for how many windows, in real time.
var foreignDrains = []struct {
	licence licence
	windows int
}{
	{licence{50, 10 * time.Second}, 3},
	{licence{20, 2 * time.Second}, 15},
}

// longDrain is a window of a minute: it takes three minutes to see one begin anew.
var longDrain = struct {
	licence licence
	windows int
}{licence{400, time.Minute}, 3}

// foreignRows has all contenders drain in real time at every foreign judge, side by side.
func foreignRows(ctx context.Context, long bool, seed uint64) ([]row, error) {
	runs := foreignDrains
	if long {
		runs = append(slices.Clip(runs), longDrain)
	}
	var ls []licence
	for _, r := range runs {
		ls = append(ls, r.licence)
	}
	byJudge := make([][]row, len(foreignJudges))
	group, ctx := errgroup.WithContext(ctx)
	for i, judge := range foreignJudges {
		section := fmt.Sprintf("Three integrations as above; judged by %s, which is %s, in real time", judge.name, judge.counting)
		where, err := judge.needs.Find(ctx)
		if err != nil {
			byJudge[i] = []row{{section: section, limiter: "all", notRun: err.Error()}}
			continue
		}
		group.Go(func() error {
			dir, err := os.MkdirTemp("", "judge")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			url, err := judge.start(ctx, where, dir, ls)
			if err != nil {
				return err
			}
			var drains []func() (row, error)
			for _, r := range runs {
				for _, c := range contenders(judge.counting, judge.burst(r.licence)) {
					f := foreignDrain{url: url + r.licence.path(), licence: r.licence, windows: r.windows, random: rand.New(rand.NewPCG(seed, 4))} //nolint:gosec // repeatable
					drains = append(drains, func() (row, error) { return f.run(ctx, section, c) })
				}
			}
			byJudge[i], err = allAtOnce(drains)
			return err
		})
	}
	err := group.Wait()
	var rows []row
	for _, some := range byJudge {
		rows = append(rows, some...)
	}
	return rows, err
}

func allAtOnce(runs []func() (row, error)) ([]row, error) {
	rows := make([]row, len(runs))
	var group errgroup.Group
	for i, run := range runs {
		group.Go(func() (err error) {
			rows[i], err = run()
			return err
		})
	}
	return rows, group.Wait()
}

// foreignDrain is a drain in real time, through a network whose delays are slept.
type foreignDrain struct {
	url     string
	licence licence
	windows int
	random  *rand.Rand
}

// verdict is the judge's answer to a call.
type verdict struct {
	call    *call
	refused bool
	err     error
}

func (f foreignDrain) run(ctx context.Context, section string, c contender) (row, error) {
	began := time.Now()
	apps := three(f.licence)
	d := newDrain(c.make(began, f.licence, apps, f.random), apps, began)
	callers := 0
	for owner, app := range apps {
		for range app.callers {
			d.ask(began, owner, true)
			callers++
		}
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: f.licence.calls}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	verdicts := make(chan verdict, callers) // nobody waits for them after an error
	end := time.After(time.Duration(f.windows) * f.licence.window)
	timer := time.NewTimer(0)
	defer timer.Stop()
	inFlight, over := 0, false
	for !over || inFlight > 0 {
		if !over {
			leaving, again := d.send(time.Now())
			inFlight += len(leaving)
			for _, call := range leaving {
				there, back := f.way(), f.way()
				go func() { verdicts <- f.send(ctx, client, c.name, call, there, back) }()
			}
			if !again.IsZero() {
				timer.Reset(time.Until(again))
			}
		}
		select {
		case v := <-verdicts:
			inFlight--
			if v.err != nil {
				return row{}, fmt.Errorf("%s, %s: %w", section, c.name, v.err)
			}
			d.answered(time.Now(), v.call, v.refused)
		case <-timer.C:
		case <-end:
			over = true
		}
	}
	r := d.figures(section, c.name, f.licence)
	r.use = float64(d.answers-d.refused) / float64(f.licence.calls*f.windows)
	return r, nil
}

func (f foreignDrain) way() time.Duration {
	return usual.oneWay + time.Duration(f.random.Int64N(int64(usual.jitter)+1))
}

func (f foreignDrain) send(ctx context.Context, client *http.Client, key string, c *call, there, back time.Duration) verdict {
	time.Sleep(there)
	status, err := get(ctx, client, f.url+keyOf(key))
	if err == nil && status != http.StatusOK && status != http.StatusTooManyRequests {
		err = fmt.Errorf("the judge answers %d", status)
	}
	time.Sleep(back)
	return verdict{call: c, refused: status == http.StatusTooManyRequests, err: err}
}

// keyOf is a contender's name as a segment of a path.
func keyOf(name string) string {
	key := []byte(name)
	for i := range key {
		if key[i] == ' ' {
			key[i] = '-'
		}
	}
	return string(key)
}
