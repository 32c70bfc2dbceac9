// SPDX-License-Identifier: Apache-2.0

// Package dispatcher puts the parts between intake and the CRM together: the store, the scheduler, the connections. All that touches the world comes in by
// Options, so that a whole dispatcher runs in a simulation.
package dispatcher

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/callbacks"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream/oauth"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// Options of a Dispatcher. All but TLS, OwnSecrets, Encryption, Past, Observer, Trace, Told and Between are required.
type Options struct {
	// FS and DataDir are where the store is.
	FS      vfs.FS
	DataDir string
	// Reserve is the free space, in bytes, that is left for what was accepted already; disk.DefaultReserve is meant for volumes.
	Reserve uint64
	// Dialer returns how connections to a CRM in a network, and to its token endpoints, are made. guard.Dialer is meant for all that leaves the process. Receivers of
	// callbacks may have private addresses, as most are in the cluster.
	Dialer func(contract.Network) guard.Dial
	// TLS to the CRM; nil for the system's roots.
	TLS *tls.Config
	// Secret is the mounted Secret with the CRM's credentials.
	Secret fs.FS
	// OwnSecrets has a folder for each mounted Secret that an integration names, for credentials of its own or for callbacks; nil if none is mounted.
	OwnSecrets fs.FS
	// Encryption is the mounted Secret with the keys that encrypt what is stored of calls; nil if none is mounted.
	Encryption fs.FS
	// Machine reads the machine's clocks. SystemClocks does. The time of day is taken from it once, when the dispatcher starts.
	Machine func() backlog.Machine
	// Guards of the ledger; limits.DefaultGuards fit all CRMs.
	Guards limits.Guards
	// Past is what the mounted plan says of the ledger; see planfile.Past.
	Past contract.LedgerPast
	// Seed of all randomness: IDs of calls, and pauses.
	Seed   [32]byte
	Logger *slog.Logger
	// Fatal ends the process: the store cannot keep its promise any more. It must not return.
	Fatal    func(reason string)
	Observer scheduler.Observer
	// Trace, if set, is put round the scheduler's way to the CRM.
	Trace func(scheduler.Sender) scheduler.Sender
	// Told, if set, is told of each request to a receiver of callbacks; status is 0 if no answer came.
	Told func(integration, endpoint string, status int)
	// Between, if set, returns what the scheduler is given in place of its store and its way to the CRM.
	Between func(backlog.Store, scheduler.Sender) (backlog.Store, scheduler.Sender)
}

// Dispatcher is one running dispatcher without its edge.
type Dispatcher struct {
	// Scheduler takes calls while Run runs.
	Scheduler *scheduler.Scheduler
	// Credentials of the CRM, as mounted.
	Credentials upstream.Credentials
	// Callbacks tell what became of queued calls while Run runs.
	Callbacks *callbacks.Sender

	receivers *http.Transport

	log    *slog.Logger
	store  *disk.Store
	client *upstream.Client
}

// New opens the store and restores what it holds. Nothing is sent before Run.
func New(o Options) (*Dispatcher, error) {
	random := rand.NewChaCha8(o.Seed)
	d := &Dispatcher{log: o.Logger}
	wrapping := &sealing.Secret{Files: o.Encryption, Named: d.encryption}
	store, err := disk.Open(disk.Options{FS: o.FS, Dir: o.DataDir, Entropy: random, Logger: o.Logger, Fatal: o.Fatal, Reserve: o.Reserve, Ring: wrapping.Ring})
	if err != nil {
		return nil, err
	}
	last, err := store.Clock()
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	now := timeline(last, o.Machine())
	tokens := func() *oauth.Tokens {
		return oauth.New(oauth.Options{
			Dialer: o.Dialer, TLS: o.TLS, Vault: store, Now: now,
			Random: rand.New(rand.NewChaCha8(o.Seed)), //nolint:gosec // it spreads pauses
		})
	}
	credentials := upstream.Credentials{Files: o.Secret, Recent: &upstream.Recent{}, Tokens: tokens()}
	if o.OwnSecrets != nil {
		credentials.Own = upstream.NewOwn(o.OwnSecrets, tokens)
	}
	client := upstream.New(upstream.Options{Dialer: o.Dialer, Credentials: credentials, TLS: o.TLS, Now: now})
	var kept backlog.Store = store
	var sender scheduler.Sender = client
	if o.Trace != nil {
		sender = o.Trace(sender)
	}
	if o.Between != nil {
		kept, sender = o.Between(kept, sender)
	}
	s, err := scheduler.New(scheduler.Options{
		Store: kept, Upstream: sender, Provider: dialectOf, Machine: o.Machine, Now: now, Guards: o.Guards, Past: o.Past,
		Random: rand.New(rand.NewChaCha8(o.Seed)), //nolint:gosec // it spreads pauses
		Logger: o.Logger, Observer: o.Observer,
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	d.receivers = callbacks.NewTransport(o.Dialer(contract.NetworkPrivate))
	d.Callbacks = callbacks.New(callbacks.Options{
		Store: store, Plan: s.Plan, Secrets: o.OwnSecrets, Transport: d.receivers, Now: now,
		Random: rand.New(rand.NewChaCha8(o.Seed)), //nolint:gosec // it spreads pauses
		Log:    o.Logger, Observe: o.Told,
	})
	d.Scheduler, d.Credentials, d.store, d.client = s, credentials, store, client
	return d, nil
}

// Run works until ctx ends, then lets the calls in flight end, 20 s at most, and the callbacks, then what asks for an access token, and closes the store. It is called
// once.
func (d *Dispatcher) Run(ctx context.Context) error {
	var keeping sync.WaitGroup
	keep, stop := context.WithCancel(ctx)
	keeping.Go(func() { d.Credentials.Keep(keep, d.Scheduler.Plan) })
	keeping.Go(func() { d.keepKeys(keep) })
	keeping.Go(func() { d.Callbacks.Run(keep) })
	err := d.Scheduler.Run(ctx)
	stop()
	keeping.Wait()
	d.Credentials.Close()
	d.client.Close()
	d.receivers.CloseIdleConnections()
	return errors.Join(err, d.store.Close())
}

// Ready says why calls cannot be accepted durably, or returns nil if they can.
func (d *Dispatcher) Ready(ctx context.Context) error {
	if plan, _ := d.Scheduler.Plan(); plan == nil {
		return errors.New("no plan is in force yet")
	}
	return d.Scheduler.Accepting(ctx)
}

func dialectOf(plan *contract.Plan) (scheduler.Provider, bool) { return provider.Of(plan) }
