// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/crmquota/crm-quota-operator/controllers"
	"github.com/crmquota/crm-quota-operator/controllers/usage"
	"github.com/crmquota/crm-quota-operator/internal/testenv"
)

const image = "registry.example/crm-quota-operator:test"

// config reaches the API server that all tests share. Each has a namespace and a manager of its own, one after the other.
var config *rest.Config

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(&managerLog, nil)))
	os.Exit(testenv.Main(m, func(c *rest.Config) { config = c }))
}

// managerLog keeps what the manager of the current test logs, to be shown when it fails.
var managerLog lockedBuffer

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.buffer.String()
	b.buffer.Reset()
	return text
}

// manager is the control plane as cmd/manager runs it, but for the lease, and with quicker reports.
type manager struct {
	requests *requests
	stop     func()
}

func startManager(t *testing.T, requests *requests) *manager {
	t.Helper()
	config := rest.CopyConfig(config)
	config.QPS = -1
	config.Wrap(requests.wrap)
	asManager(config)
	mgr, err := ctrl.NewManager(config, options())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	err = controllers.Setup(ctx, mgr, controllers.Options{
		DispatcherImage: image,
		Token:           usage.TokenFile(filepath.Join(t.TempDir(), "none")),
		Periods:         usage.Periods{Report: 200 * time.Millisecond, Retry: 50 * time.Millisecond, Hold: time.Second},
	})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the manager ended with: %v", err)
		}
	})
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("caches are not synced")
	}
	return &manager{requests: requests, stop: stop}
}

func options() ctrl.Options {
	return ctrl.Options{
		Scheme:  controllers.Scheme(),
		Cache:   controllers.CacheOptions(),
		Client:  controllers.ClientOptions(),
		Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: ctrlconfig.Controller{
			MaxConcurrentReconciles: 4,
			ReconciliationTimeout:   time.Minute,
			// Controllers of a manager that has ended still hold their names.
			SkipNameValidation: new(true),
		},
		GracefulShutdownTimeout: new(5 * time.Second),
	}
}
