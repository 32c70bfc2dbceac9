// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// watch prints a line every few seconds until every caller has ended.
func (d *demo) watch(ctx context.Context) error {
	reports, err := d.reporter(ctx)
	if err != nil {
		return err
	}
	fmt.Print("\n== what the dispatcher says (used/limit; waiting calls)\n")
	start, lines := time.Now(), 0
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		report, err := reports(ctx)
		if err != nil {
			return err
		}
		if lines%12 == 0 {
			fmt.Println(header(report))
		}
		lines++
		fmt.Println(line(time.Since(start), report))
		ended, err := d.ended(ctx)
		if err != nil || ended {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// reporter returns a function that reads the dispatcher's report as the manager does.
func (d *demo) reporter(ctx context.Context) (func(context.Context) (contract.Report, error), error) {
	var ca corev1.ConfigMap
	if err := d.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "zendesk-crm-dispatcher-ca"}, &ca); err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(ca.Data["ca.crt"]))
	token, err := d.Token(ctx, "crm-quota-system", "crm-quota-manager", contract.ReportAudience)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	httpClient := d.HTTPClient(namespace, "app.kubernetes.io/name=crm-dispatcher", contract.ReportPort, transport)
	url := "https://zendesk-crm-dispatcher." + namespace + ".svc" + contract.ReportPath
	return func(ctx context.Context) (report contract.Report, err error) {
		err = getJSON(ctx, httpClient, url, token, &report)
		return report, err
	}, nil
}

func getJSON(ctx context.Context, client *http.Client, url, token string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func header(r contract.Report) string {
	columns := []string{"   time"}
	for _, w := range r.Windows {
		columns = append(columns, fmt.Sprintf("%12s", w.Name))
	}
	columns = append(columns, " backlog", "     ETA")
	for _, i := range r.Integrations {
		columns = append(columns, fmt.Sprintf("%24s", i.Name+" (used, waiting)"))
	}
	return strings.Join(columns, " ")
}

func line(elapsed time.Duration, r contract.Report) string {
	columns := []string{fmt.Sprintf("%6.0fs", elapsed.Seconds())}
	for _, w := range r.Windows {
		columns = append(columns, fmt.Sprintf("%12s", fmt.Sprintf("%d/%d", w.Used, w.Limit)))
	}
	columns = append(columns, fmt.Sprintf("%8d", waiting(r.Backlog)), fmt.Sprintf("%8s", eta(r.Backlog)))
	for _, i := range r.Integrations {
		used := int64(0)
		if len(i.Windows) > 0 {
			used = i.Windows[0].Used
		}
		columns = append(columns, fmt.Sprintf("%24s", fmt.Sprintf("%d, %d", used, waiting(i.Backlog))))
	}
	return strings.Join(columns, " ")
}

func waiting(b contract.BacklogReport) int64 { return b.Queued + b.Sent + b.Parked }

func eta(b contract.BacklogReport) string {
	if waiting(b) == 0 {
		return "-"
	}
	if b.DrainSeconds == nil {
		return "?"
	}
	return (time.Duration(*b.DrainSeconds) * time.Second).String()
}
