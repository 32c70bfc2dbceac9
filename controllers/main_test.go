// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	writes *writes
	stop   func()
}

func startManager(t *testing.T, writes *writes) *manager {
	t.Helper()
	config := rest.CopyConfig(config)
	config.QPS = -1
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &countingTransport{next: next, writes: writes} })
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
	return &manager{writes: writes, stop: stop}
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

// writes are the requests of a manager that change something, as "PATCH crms/zendesk/status", by namespace.
type writes struct {
	mu   sync.Mutex
	made map[string][]string
}

func newWrites() *writes { return &writes{made: make(map[string][]string)} }

func (w *writes) add(namespace, request string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made[namespace] = append(w.made[namespace], request)
}

// in returns those made in the namespace so far.
func (w *writes) in(namespace string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.made[namespace])
}

type countingTransport struct {
	next   http.RoundTripper
	writes *writes
}

func (c *countingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		if _, path, ok := strings.Cut(request.URL.Path, "/namespaces/"); ok {
			namespace, resource, _ := strings.Cut(path, "/")
			c.writes.add(namespace, request.Method+" "+resource)
		}
	}
	return c.next.RoundTrip(request)
}
