// SPDX-License-Identifier: Apache-2.0

// Command dispatcher carries the calls of integrations to one CRM, inside the licence's limits. It reads a mounted plan and mounted Secrets, keeps its state on a
// volume, and talks to nobody but its clients, the CRM and its token endpoint.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no zone files

	_ "golang.org/x/crypto/x509roots/fallback" // and no certificate authorities

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// version is set by the build.
var version = "development"

type options struct {
	planFile, dataDir, credentialsDir, tlsDir   string
	ownCredentialsDir, encryptionDir            string
	intakeAddress, reportAddress, healthAddress string
	profileAddress                              string
	shutdownDelay                               time.Duration
	logLevel                                    slog.Level
}

func main() {
	var o options
	flag.StringVar(&o.planFile, "plan-file", contract.PlanFile, "the dispatch plan, in a mounted ConfigMap")
	flag.StringVar(&o.dataDir, "data-dir", contract.DataDir, "the mounted volume")
	flag.StringVar(&o.credentialsDir, "credentials-dir", contract.CredentialsDir, "the mounted Secret with the CRM's credentials")
	flag.StringVar(&o.ownCredentialsDir, "own-credentials-dir", contract.OwnCredentialsDir, "a folder for each mounted Secret with an integration's own credentials")
	flag.StringVar(&o.tlsDir, "tls-dir", contract.TLSDir, "the mounted Secret with the intake's certificate, if the plan names one")
	flag.StringVar(&o.encryptionDir, "encryption-dir", contract.EncryptionDir, "the mounted Secret with the keys that encrypt what is stored of calls, if the plan names some")
	flag.StringVar(&o.intakeAddress, "intake-address", port(contract.IntakePort), "where integrations are served")
	flag.StringVar(&o.reportAddress, "report-address", port(contract.ReportPort), "where the manager is served")
	flag.StringVar(&o.healthAddress, "health-address", port(contract.HealthPort), "where health and metrics are served, in clear text")
	flag.StringVar(&o.profileAddress, "profile-address", "", "where Go's profiles are served, in clear text and to anybody: on loopback, or nowhere if it is empty")
	flag.DurationVar(&o.shutdownDelay, "shutdown-delay", 3*time.Second, "how long to go on serving after SIGTERM, until clients no longer find this pod")
	flag.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "DEBUG, INFO, WARN or ERROR")
	flag.Parse()

	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: o.logLevel}))
	log.Info("The dispatcher starts", "version", version, "memoryLimitBytes", debug.SetMemoryLimit(-1))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, o, log); err != nil {
		log.Error("The dispatcher ended", "error", err)
		os.Exit(1)
	}
	log.Info("The dispatcher has stopped")
}

func port(number int) string { return ":" + strconv.Itoa(number) }
