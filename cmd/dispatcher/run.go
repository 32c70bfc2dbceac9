// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/errgroup"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/certificate"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/planfile"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/serve"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/telemetry"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tracing"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// drainTime bounds the end of requests after the scheduler was told to stop, which itself gives calls in flight 20 s.
const drainTime = 25 * time.Second

// run works until ctx ends, then stops in order: not ready, but serving until nobody comes any more; no new calls; calls in flight to their end; store closed.
func run(ctx context.Context, o options, log *slog.Logger) error {
	metrics := telemetry.NewMetrics()
	tracer := tracing.New(tracing.Options{Version: version, Log: log, Lost: metrics.SpansLost})
	defer tracer.Close(ctx) // after the last call has ended
	core, err := newCore(o, observer{metrics, tracer}, log)
	if err != nil {
		return err
	}
	metrics.Watch(core.Scheduler)
	authority, err := certificate.OpenAuthority(filepath.Join(o.dataDir, "intake-ca.pem"), time.Now())
	if err != nil {
		return err
	}
	inForce := func() *contract.Intake {
		if plan, _ := core.Scheduler.Plan(); plan != nil {
			return &plan.Intake
		}
		return nil
	}
	certificates := certificate.NewSource(authority, o.tlsDir, inForce)
	watcher := planfile.New(o.planFile, core.Scheduler.Apply, log)
	endpoint := telemetry.NewEndpoint(net.DefaultResolver, core.Scheduler.Plan)
	health := &telemetry.Health{Scheduler: core.Scheduler, Ready: core.Ready}
	facts := telemetry.Facts{
		Scheduler: core.Scheduler, Ready: core.Ready, Rejected: watcher.Rejected, Certificate: certificates.Report,
		Credentials: core.Credentials.Check, Encryption: core.Scheduler.Encryption, Endpoint: endpoint.Report,
		Callbacks: core.Callbacks.Report,
	}
	calls := intake.New(intake.Options{Calls: core.Scheduler, Log: log, Observe: metrics.Served, Trace: tracer.Request})
	servers := []*serve.Server{
		serve.New(serve.Options{
			Address: o.intakeAddress, Handler: calls, Certificate: certificates.Intake, Log: log,
			Plain: func() bool { in := inForce(); return in != nil && in.PlainHTTP },
		}),
		serve.New(serve.Options{Address: o.reportAddress, Handler: telemetry.NewReportHandler(facts, log), Certificate: certificates.Own, Log: log}),
		serve.New(serve.Options{Address: o.healthAddress, Handler: health.Handler(metrics.Handler(log)), Log: log}),
	}
	if o.profileAddress != "" {
		servers = append(servers, serve.New(serve.Options{Address: o.profileAddress, Handler: profiles(), Log: log}))
	}

	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	group, working := errgroup.WithContext(working)
	group.Go(func() error { return core.Run(working) })
	group.Go(func() error { return watcher.Run(working) })
	group.Go(func() error { endpoint.Run(working); return nil })
	group.Go(func() error { tracer.Follow(working, core.Scheduler.Plan); return nil })
	for _, s := range servers {
		group.Go(func() error { return s.Run(working) })
	}
	group.Go(func() error {
		if wait(working, ctx.Done()) {
			log.Info("The dispatcher stops")
			health.Stop()
			servers[0].Fade()
			wait(working, time.After(o.shutdownDelay))
		}
		stopWorking()
		shutDown(context.WithoutCancel(ctx), servers)
		return nil
	})
	return group.Wait()
}

// wait returns true when what was waited for has come, false when the work has ended before.
func wait[T any](working context.Context, what <-chan T) bool {
	select {
	case <-what:
		return true
	case <-working.Done():
		return false
	}
}

// observer is told how long things take.
type observer struct {
	*telemetry.Metrics
	*tracing.Tracer
}

func newCore(o options, observer observer, log *slog.Logger) (*dispatcher.Dispatcher, error) {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	return dispatcher.New(dispatcher.Options{
		FS: vfs.Default, DataDir: filepath.Join(o.dataDir, "store"), Reserve: disk.DefaultReserve,
		Dialer: guard.Dialer,
		Secret: os.DirFS(o.credentialsDir), OwnSecrets: os.DirFS(o.ownCredentialsDir), Encryption: os.DirFS(o.encryptionDir),
		Machine: dispatcher.SystemClocks, Guards: limits.DefaultGuards(), Past: planfile.Past(o.planFile), Seed: seed, Logger: log, Observer: observer, Trace: observer.Sender,
		Told: observer.Told,
		Fatal: func(reason string) {
			log.Error("The store cannot keep its promise; the process ends", "reason", reason)
			os.Exit(1)
		},
	})
}

// shutDown ends the servers, the intake first, when their requests have ended or drainTime is over.
func shutDown(ctx context.Context, servers []*serve.Server) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for _, s := range servers {
		s.Stop(ctx)
	}
}
