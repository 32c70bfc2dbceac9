// SPDX-License-Identifier: Apache-2.0

// Command scoreboard has the project's limiter and others spend a licence side by side, in the same run and before the same judges, and prints one table.
//
// The judges are crmsim, in virtual time, and rate limiters that others wrote, as real servers on the loopback in real time. It fails if ours breaks a promise:
// no overrun, no refusal, fairness by weight, use of what the rule can give, and short waits for those who have a guarantee.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "scoreboard:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("scoreboard", flag.ContinueOnError)
	seed := f.Uint64("seed", 1, "seed of the virtual worlds")
	images := f.String("img", "", "folder to write scoreboard.svg and windows.svg to; none are written if it is empty")
	foreign := f.Bool("foreign", true, "ask the foreign judges, which takes half a minute")
	long := f.Bool("long", false, "foreign judges keep a window of a minute, too, which takes three")
	if err := f.Parse(args); err != nil {
		return err
	}
	rows := append(virtualDrains(*seed), guaranteedRows(*seed)...)
	if *images != "" {
		if err := draw(*images, rows, *seed); err != nil {
			return err
		}
	}
	if *foreign {
		judged, err := foreignRows(ctx, *long, *seed)
		if err != nil {
			return err
		}
		rows = append(rows, judged...)
	}
	if err := printTable(os.Stdout, rows); err != nil {
		return err
	}
	fmt.Print(legend)
	var broken []string
	for _, r := range rows {
		broken = append(broken, r.broken()...)
	}
	if len(broken) > 0 {
		return fmt.Errorf("%d promises are broken:\n- %s", len(broken), strings.Join(broken, "\n- "))
	}
	return nil
}

const legend = `
FULLEST WINDOW: most calls that arrived in any window of the limit's length; OVERRUNS: stretches of windows with too many. USE: of the limit, calls taken by
the CRM. WAIT: of the call that is first in an integration's line. UNFAIR BY: calls by which one integration, per unit of weight, got ahead of another.
The network takes 0.2 s there and back, and 0 to 0.3 s more each way. Real-time use includes the first window's burst.
`
