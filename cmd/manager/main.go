// SPDX-License-Identifier: Apache-2.0

// Command manager is the control plane: it turns CRM and Integration objects into running dispatchers and publishes what they report. Calls never pass it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/crmquota/crm-quota-operator/controllers"
	"github.com/crmquota/crm-quota-operator/controllers/usage"
)

// version is set by the linker.
var version = "dev"

const (
	leaseName = "crm-quota-manager"

	// A leader that is gone without a word is replaced after the lease's duration; one that ends in order gives the lease back.
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = time.Second

	// reconcileTimeout bounds one pass: every read and write in it is short.
	reconcileTimeout = time.Minute
	// concurrency above 1, so that one slow pass holds up nobody.
	concurrency = 4
)

type flags struct {
	dispatcherImage string
	tokenFile       string
	metricsAddress  string
	healthAddress   string
	leaderElect     bool
	leaseNamespace  string
	verbose         bool
	version         bool
}

func main() {
	err := run(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

func parse(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("manager", flag.ContinueOnError)
	set.StringVar(&f.dispatcherImage, "dispatcher-image", "", "image that dispatchers run; required")
	set.StringVar(&f.tokenFile, "report-token-file", "/var/run/secrets/crmquota.dev/report/token", "projected token that is shown to dispatchers; none is shown when there is no such file")
	set.StringVar(&f.metricsAddress, "metrics-bind-address", ":8080", "address of /metrics; 0 turns it off")
	set.StringVar(&f.healthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 turns them off")
	set.BoolVar(&f.leaderElect, "leader-elect", true, "work only while holding a lease, so that several managers can run")
	set.StringVar(&f.leaseNamespace, "leader-election-namespace", "", "namespace of the lease; the pod's own when empty")
	set.BoolVar(&f.verbose, "verbose", false, "log decisions too")
	set.BoolVar(&f.version, "version", false, "print the version and exit")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if f.dispatcherImage == "" && !f.version {
		return f, errors.New("--dispatcher-image is required: name the image that dispatchers run")
	}
	return f, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	f, err := parse(args)
	if err != nil {
		return err
	}
	if f.version {
		_, err := fmt.Fprintln(out, version)
		return err
	}
	level := slog.LevelInfo
	if f.verbose {
		level = slog.LevelDebug
	}
	logger := logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	ctrl.SetLogger(logger)
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	options := f.options()
	if f.leaderElect {
		if options.LeaderElectionResourceLockInterface, err = newLease(restConfig, f.leaseNamespace); err != nil {
			return err
		}
	}
	mgr, err := ctrl.NewManager(restConfig, options)
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("caches", cachesSynced(mgr.GetCache())); err != nil {
		return err
	}
	ctx = ctrl.LoggerInto(ctx, logger)
	err = controllers.Setup(ctx, mgr, controllers.Options{
		DispatcherImage: f.dispatcherImage, Token: usage.TokenFile(f.tokenFile), Periods: usage.DefaultPeriods,
	})
	if err != nil {
		return err
	}
	logger.Info("Manager started", "version", version, "dispatcherImage", f.dispatcherImage)
	return mgr.Start(ctx)
}

func (f flags) options() ctrl.Options {
	return ctrl.Options{
		Scheme:                 controllers.Scheme(),
		Cache:                  controllers.CacheOptions(),
		Client:                 controllers.ClientOptions(),
		Metrics:                metricsserver.Options{BindAddress: f.metricsAddress},
		HealthProbeBindAddress: f.healthAddress,
		Controller: config.Controller{
			MaxConcurrentReconciles: concurrency,
			ReconciliationTimeout:   reconcileTimeout,
			EnableWarmup:            new(true),
		},
		LeaderElection: f.leaderElect,
		// run returns as soon as the manager has stopped, so nothing is done without the lease.
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 new(leaseDuration),
		RenewDeadline:                 new(renewDeadline),
		RetryPeriod:                   new(retryPeriod),
	}
}

// cachesSynced makes a standby ready too: its caches are warm.
func cachesSynced(c cache.Cache) healthz.Checker {
	return func(request *http.Request) error {
		ctx, cancel := context.WithTimeout(request.Context(), time.Second)
		defer cancel()
		if !c.WaitForCacheSync(ctx) {
			return errors.New("caches are not synced")
		}
		return nil
	}
}
