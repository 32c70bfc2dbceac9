// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// summary prints what became of every call and fails when one was lost or doubled, or a limit overrun.
func (d *demo) summary(ctx context.Context) error {
	reports, err := d.reporter(ctx)
	if err != nil {
		return err
	}
	report, err := reports(ctx)
	if err != nil {
		return err
	}
	var judge crmsim.Report
	if err := getJSON(ctx, d.control, simControl+"report", "", &judge); err != nil {
		return err
	}
	var tickets map[string][]int64
	if err := getJSON(ctx, d.control, simControl+"tickets", "", &tickets); err != nil {
		return err
	}

	fmt.Print("\n== what the applications met\n")
	if err := d.printApplications(ctx); err != nil {
		return err
	}
	fmt.Print("\n== what the dispatcher did\n")
	printDispatcher(report)
	fmt.Print("\n== how the licence stands\n")
	printLimits(report)
	printShares(report)
	lost := missing(tickets)
	overruns := 0
	for _, verdict := range judge.Limits {
		overruns += verdict.OverrunCount
	}
	fmt.Print("\n== what the simulated CRM's judge found\n")
	fmt.Printf("   %d calls arrived, %d refused; %d tickets\n", judge.Arrivals, judge.Refusals, judge.Tickets.Created)
	fmt.Printf("   lost %d, doubled %d, overruns %d\n", len(lost), judge.Tickets.DuplicateCount, overruns)

	fmt.Print("\n== what kubectl shows\n")
	d.settle(ctx)
	if err := d.show(ctx, "get", "crms,integrations.crmquota.dev", "-n", namespace); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "crm", "zendesk", "-n", namespace, "-o", conditionsTable); err != nil {
		return err
	}
	fmt.Printf("\nThe cluster is still up. Try:\n  export KUBECONFIG=%s PATH=$PWD/bin/k8s:$PATH\n", d.kubeconfig)
	for _, command := range []string{
		"kubectl get crms,crmint -n contact-centre -o wide",
		"kubectl describe crm zendesk -n contact-centre",
		"kubectl explain crm.spec.licence",
		"kubectl patch crm zendesk -n contact-centre --type=merge -p '{\"spec\":{\"dispatch\":\"Hold\"}}'",
		"kubectl exec -n crm-simulator deploy/crmsim -- /crmsim report",
		"make cluster-down",
	} {
		fmt.Println("  " + command)
	}
	if len(lost) > 0 {
		return fmt.Errorf("%d call logs were acknowledged and are not in the CRM: %s", len(lost), strings.Join(lost[:min(5, len(lost))], ", "))
	}
	if problems := judge.Problems(); len(problems) > 0 {
		return errors.New(strings.Join(problems, "; "))
	}
	return nil
}

// conditionsTable is a line for each condition, after an empty one.
const conditionsTable = `go-template={{"\n"}}{{range .status.conditions}}{{printf "%-22s %-8s %-16s %s\n" .type .status .reason .message}}{{end}}`

// settle gives the status, which is up to a minute behind, the time to say that the backlog is empty.
func (d *demo) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, _ = d.Kubectl(ctx, "wait", "-n", namespace, "--for=jsonpath={.status.backlog.calls}=0", "crm,crmint", "--all", "--timeout=60s")
}

// missing lists the call logs that the CRM does not have. All of them were sent, and the load waited for every result.
func missing(tickets map[string][]int64) []string {
	var lost []string
	for n := range burst {
		if id := fmt.Sprintf("contact-centre-log-%d", n); len(tickets[id]) == 0 {
			lost = append(lost, id)
		}
	}
	return lost
}

func (d *demo) printApplications(ctx context.Context) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "integration\tcalls\tsent\tanswered\tqueued\tdrained\tfailed\topen\trefused\terrors\tp50 ms\tp99 ms\t")
	for _, c := range callers {
		counts, err := d.counts(ctx, c)
		if err != nil {
			return err
		}
		for _, n := range counts {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", c.integration, n.Stream,
				n.Sent, n.Answered, n.Accepted, n.Drained, n.Failed, n.Open, n.Refused, n.Errors, n.P50ms, n.P99ms)
			if n.FirstError != "" {
				_, _ = fmt.Fprintf(table, "\tfirst error: %s\t\n", n.FirstError)
			}
		}
	}
	return table.Flush()
}

func printDispatcher(report contract.Report) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "integration\taccepted for later\tdispatched\tdrained\tanswered at once\tsaved\trefused\tstill queued\t")
	for _, i := range report.Integrations {
		c := i.Counters
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", i.Name, c.Accepted, c.Dispatched, c.Drained, c.Forwarded, c.Saved, c.Refused, waiting(i.Backlog))
	}
	_ = table.Flush()
}

// printLimits shows every limit of the licence, as it stands now and as it is foreseen.
func printLimits(report contract.Report) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "limit\tallows\tused\tin doubt\texternal\tlent\tborrowed\tguard\texact\texpected demand\tp95\tused up by\t")
	for _, w := range report.Windows {
		usedUp := "-"
		if e := w.Exhaustion; e != nil && e.P50 != nil {
			usedUp = e.P50.Format(time.TimeOnly)
		} else if e != nil && e.P95 != nil {
			usedUp = "perhaps " + e.P95.Format(time.TimeOnly)
		}
		external := "-"
		if w.External != nil {
			external = strconv.FormatInt(*w.External, 10)
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%d\t%d\t%s\t%t\t%d\t%d\t%s\t\n", w.Name, w.Limit, w.Used, w.InDoubt, external, w.Lent, w.Borrowed,
			time.Duration(w.GuardMilliseconds)*time.Millisecond, !w.Estimated, w.DemandP50, w.DemandP95, usedUp)
	}
	_ = table.Flush()
}

// printShares shows every integration's part of the limits that it asks something of.
func printShares(report contract.Report) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\nintegration\tlimit\tguaranteed\tused\tlent\tborrowed\tdemand\t")
	for _, i := range report.Integrations {
		for _, w := range i.Windows {
			if w.Used == 0 && w.Demand == 0 {
				continue
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t\n", i.Name, w.Name, w.Guaranteed, w.Used, w.Lent, w.Borrowed, w.Demand)
		}
	}
	_ = table.Flush()
}
