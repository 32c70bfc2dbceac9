// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// printReport is the subcommand report: it stands in for curl where the image has none.
func printReport(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("crmsim report", flag.ContinueOnError)
	control := f.String("control", "http://127.0.0.1:8081", "URL of the control API")
	asJSON := f.Bool("json", false, "print JSON instead of text")
	check := f.Bool("check", false, "fail when there were overruns, duplicates or calls that were not judged")
	if err := f.Parse(args); err != nil {
		return err
	}
	report, raw, err := fetchReport(ctx, *control)
	if err != nil {
		return err
	}
	if *asJSON {
		_, err = fmt.Fprintf(out, "%s\n", raw)
	} else {
		err = report.WriteText(out)
	}
	if problems := report.Problems(); *check && len(problems) > 0 {
		err = errors.Join(err, errors.New(strings.Join(problems, "; ")))
	}
	return err
}

func fetchReport(ctx context.Context, control string) (report crmsim.Report, raw []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(control, "/")+"/_sim/report", nil)
	if err != nil {
		return report, nil, err
	}
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return report, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err = io.ReadAll(response.Body)
	if err != nil {
		return report, nil, err
	}
	if response.StatusCode != http.StatusOK {
		return report, nil, fmt.Errorf("%s answered %s", control, response.Status)
	}
	return report, raw, json.Unmarshal(raw, &report)
}
