// SPDX-License-Identifier: Apache-2.0

// Command load is one integration of the demo: it calls the dispatcher from a pod with its own service account, and prints what it met as JSON on its last
// line.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/test/loadgen"
)

type options struct {
	baseURL, caFile, tokenFile string
	prefix                     string
	duration, follow           time.Duration
	burst                      int
	burstAfter                 time.Duration
	searches                   float64
	creates                    float64
	greedy                     int
}

func main() {
	var o options
	flag.StringVar(&o.baseURL, "base-url", "", "the dispatcher's intake, from the Integration's status.endpoint.url")
	flag.StringVar(&o.caFile, "ca", "", "file with the CA of the intake")
	flag.StringVar(&o.tokenFile, "token", "/var/run/secrets/crmquota.dev/client/token", "file with the service account token")
	flag.StringVar(&o.prefix, "prefix", "load", "start of the external ids of tickets")
	flag.DurationVar(&o.duration, "duration", 2*time.Minute, "how long to call")
	flag.DurationVar(&o.follow, "follow", 10*time.Minute, "how long to wait for the results of accepted calls after that")
	flag.IntVar(&o.burst, "burst", 0, "call logs to write at once")
	flag.DurationVar(&o.burstAfter, "burst-after", 0, "when, after the start, to write them")
	flag.Float64Var(&o.searches, "searches", 0, "contact searches per second")
	flag.Float64Var(&o.creates, "creates", 0, "tickets per second that somebody waits for")
	flag.IntVar(&o.greedy, "greedy", 0, "connections that export as fast as they can")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		slog.New(slog.NewJSONHandler(os.Stderr, nil)).Error("Load failed", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	var ca []byte
	if o.caFile != "" {
		var err error
		if ca, err = os.ReadFile(o.caFile); err != nil {
			return err
		}
	}
	httpClient, err := loadgen.NewHTTPClient(ca)
	if err != nil {
		return err
	}
	client := &loadgen.Client{BaseURL: o.baseURL, HTTP: httpClient, Token: loadgen.TokenFile(o.tokenFile)}

	calling, stop := context.WithTimeout(ctx, o.duration)
	defer stop()
	var wg sync.WaitGroup
	var tallies []*loadgen.Tally
	stream := func(name string, wanted bool, calls func(*loadgen.Tally)) {
		if wanted {
			tally := loadgen.NewTally(name)
			tallies = append(tallies, tally)
			wg.Go(func() { calls(tally) })
		}
	}
	stream("call logs", o.burst > 0, func(t *loadgen.Tally) {
		time.Sleep(o.burstAfter)
		loadgen.Burst(ctx, client, t, o.burst, 32, loadgen.CreateTickets(o.prefix+"-log"))
	})
	stream("contact searches", o.searches > 0, func(t *loadgen.Tally) { loadgen.Steady(calling, client, t, o.searches, loadgen.SearchUsers) })
	stream("tickets", o.creates > 0, func(t *loadgen.Tally) {
		loadgen.Steady(calling, client, t, o.creates, loadgen.CreateTickets(o.prefix+"-ticket"))
	})
	stream("export pages", o.greedy > 0, func(t *loadgen.Tally) { loadgen.Greedy(calling, client, t, o.greedy, loadgen.ListTickets) })
	wg.Wait()

	following, stopFollowing := context.WithTimeout(ctx, o.follow)
	defer stopFollowing()
	counts := make([]loadgen.Count, 0, len(tallies))
	for _, tally := range tallies {
		tally.Follow(following, client)
		counts = append(counts, tally.Result())
	}
	line, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(line))
	return err
}
