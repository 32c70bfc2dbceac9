// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/zendesk"
)

// answer is what the CRM of a test does with one request.
type answer struct {
	status int
	header http.Header
	// body, if it is not to name the target.
	body string
	// after is how long it takes.
	after time.Duration
	// broken: the connection breaks; down: none can be made; unsigned: there is nothing to sign it with; elsewhere: the CRM's address is not one to call.
	broken, down, unsigned, elsewhere bool
}

// crm is the other side: it plays its script, one answer a request, and then says 200.
type crm struct {
	mu     sync.Mutex
	script []answer
	// reply, if it is set, answers in place of the script.
	reply func(*call.Call) answer
	seen  []*call.Call
	to    []upstream.Destination
	at    []time.Time
	// ended has, for each of seen, when it was answered; zero before.
	ended []time.Time
}

var (
	errBroken = errors.New("the connection broke")
	errDown   = errors.New("connection refused")
)

// Send implements Sender.
func (c *crm) Send(ctx context.Context, _ *upstream.Charge, to upstream.Destination, what *call.Call) upstream.Outcome {
	began := time.Now()
	a, n := c.next(to, what)
	timer := time.NewTimer(a.after)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		a.broken = true
	}
	c.mu.Lock()
	c.ended[n] = time.Now()
	c.mu.Unlock()
	o := upstream.Outcome{Sent: !a.down && !a.unsigned && !a.elsewhere, Began: began, Ended: time.Now()}
	switch {
	case a.down:
		o.Err = errDown
	case a.unsigned:
		o.Err = upstream.ErrNoToken
	case a.elsewhere:
		o.Err = guard.Check(contract.NetworkPublic, netip.MustParseAddr("10.1.2.3"))
	case a.broken:
		o.Err = errBroken
	default:
		o.Answer = &call.Answer{Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader([]byte(cmp.Or(a.body, "answer to "+what.Target))))}
	}
	return o
}

// look has f see, or change, what answers calls, while no call is answered.
func (c *crm) look(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *crm) next(to upstream.Destination, what *call.Call) (a answer, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = len(c.seen)
	c.to = append(c.to, to)
	c.seen, c.at, c.ended = append(c.seen, what), append(c.at, time.Now()), append(c.ended, time.Time{})
	if c.reply != nil {
		return c.reply(what), n
	}
	if len(c.script) == 0 {
		return answer{status: http.StatusOK}, n
	}
	a = c.script[0]
	c.script = c.script[1:]
	return a, n
}

func (c *crm) targets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, what := range c.seen {
		all = append(all, what.Target)
	}
	return all
}

// testDialect knows a refusal by its status, and how long to wait by a header in Go's notation.
type testDialect struct{}

// Canonical implements Provider.
func (testDialect) Canonical(path string) string { return path }

// Jobs implements Provider: headers would be too easy, so a body of the CRM of a test tells of none.
func (testDialect) Jobs(string, int, []byte) (started, ended []string)  { return nil, nil }
func (testDialect) PollJobs([]string) (poll dialect.Request, asked int) { return poll, 0 }

// Operations implements Provider.
func (testDialect) Operations() []dialect.Operation { return nil }

// Batch implements Provider as Zendesk does.
func (testDialect) Batch(operation string) (dialect.Batch, bool) {
	return zendesk.Zendesk{}.Batch(operation)
}

// Mixed implements Provider: nothing takes calls of different operations.
func (testDialect) Mixed() (dialect.MixedBatch, bool) { return nil, false }

// Refused implements Provider: of what it is, the body says.
func (testDialect) Refused(a dialect.Answer, _ time.Time) dialect.Verdict {
	wait, _ := time.ParseDuration(a.Header.Get("Wait"))
	scope := map[string]dialect.Scope{"operation": dialect.ScopeOperation, "record": dialect.ScopeRecord}[string(a.Body)]
	return dialect.Verdict{Refused: a.Status == http.StatusTooManyRequests, Scope: scope, Wait: wait}
}

// bench is a scheduler on a volume in memory, with a CRM that plays a script. It lives in a bubble.
type bench struct {
	*Scheduler
	t    *testing.T
	fs   *vfs.MemFS
	crm  *crm
	boot string
	// past is what the mounted plan says of the ledger.
	past contract.LedgerPast
	// ring has the wrapping keys, nil if nothing is encrypted.
	ring atomic.Pointer[func() (*sealing.Ring, error)]
	// wallError is how far the time of day may be off.
	wallError time.Duration
	// dialect is that of the provider Test.
	dialect Provider
	// observer is told of what happens from the next start on.
	observer Observer
	// syncs is how long the store takes for a batch that lets calls leave.
	syncs time.Duration
	stop  func()
}

// inBubble runs a test with a scheduler that has a plan of one integration, a/x, and ten calls a minute.
func inBubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, fs: vfs.NewCrashableMem(), crm: &crm{}, boot: "boot", dialect: testDialect{}}
		b.start()
		b.apply(plan(1))
		test(t, b)
		b.stop()
	})
}

// start starts a scheduler on what the volume holds.
func (b *bench) start() {
	b.t.Helper()
	store, err := disk.Open(disk.Options{
		FS: b.fs, Dir: "data", Entropy: rand.Reader, Logger: slog.New(slog.DiscardHandler), Fatal: func(reason string) { panic(reason) },
		Ring: func() (*sealing.Ring, error) {
			if ring := b.ring.Load(); ring != nil {
				return (*ring)()
			}
			return nil, nil
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	began, machine := time.Unix(0, 0), backlog.Machine{BootID: b.boot, WallError: b.wallError}
	b.Scheduler, err = New(Options{
		Store: slowStore{store, &b.syncs}, Upstream: b.crm, Now: time.Now, Guards: limits.DefaultGuards(), Past: b.past, Logger: slog.New(slog.DiscardHandler), Observer: b.observer,
		Provider: func(p *contract.Plan) (Provider, bool) { return b.dialect, p.CRM.Provider == "Test" },
		Machine: func() backlog.Machine {
			machine.Boot, machine.Wall = time.Since(began), time.Now()
			return machine
		},
		Random: mathrand.New(mathrand.NewPCG(1, 1)), //nolint:gosec // repeatable on purpose
	})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func(s *Scheduler) { ended <- errors.Join(s.Run(ctx), store.Close()) }(b.Scheduler)
	b.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	}
}

// fresh starts a scheduler on a new volume.
func (b *bench) fresh() {
	b.t.Helper()
	b.fs = vfs.NewCrashableMem()
	b.start()
}

// restart ends the scheduler by loss of power, with calls in flight, and starts it anew after down.
func (b *bench) restart(down time.Duration) {
	b.t.Helper()
	synctest.Wait()
	left := b.fs.CrashClone(vfs.CrashCloneCfg{})
	b.stop()
	b.fs = left
	time.Sleep(down)
	b.start()
}

func plan(sequence int64, change ...func(*contract.Plan)) *contract.Plan {
	p := &contract.Plan{
		Schema: contract.PlanSchema, Sequence: sequence, Enforce: true, Endpoint: "http://crm.test",
		CRM:    contract.CRMIdentity{UID: "uid", Provider: "Test", Account: "acme"},
		Limits: []contract.Limit{{Name: "minute", Calls: 10, WindowSeconds: 60}},
		Integrations: []contract.Integration{{
			Namespace: "a", Name: "x", UID: "x", Enforce: true,
			Share: contract.Share{Part: contract.Part{GuaranteedPercent: 50, MaxPercent: 100}, Weight: 1, LendPercent: 50},
			Queue: contract.Queue{MaxCalls: 1000, MaxAgeSeconds: 86400},
		}},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func (b *bench) apply(p *contract.Plan) {
	b.t.Helper()
	if err := b.Apply(context.Background(), p); err != nil {
		b.t.Fatal(err)
	}
}

// hold is how long a call of the plan's limit stays charged after its answer.
var hold = limits.DefaultGuards().Hold(limits.Limit{Kind: limits.Rolling, Window: time.Minute})

func read(target string) *call.Call {
	return &call.Call{Integration: "a/x", Method: http.MethodGet, Target: target, Repeat: call.Repeat{Class: call.RepeatIdempotent}}
}

func write(target string, class call.RepeatClass) *call.Call {
	return &call.Call{
		Integration: "a/x", Method: http.MethodPost, Target: target, Body: []byte("body of " + target),
		Repeat: call.Repeat{Class: class, KeyValidFor: 2 * time.Hour}, AcceptedAt: time.Now(),
	}
}

// do sends a call that must be answered, and returns the status.
func (b *bench) do(c *call.Call, wait time.Duration) int {
	b.t.Helper()
	a, err := b.Do(context.Background(), c, wait)
	if err != nil {
		b.t.Errorf("Do: %v", err)
		return 0
	}
	_ = a.Body.Close() // in memory
	return a.Status
}

// refused sends a call that must be refused.
func (b *bench) refused(c *call.Call, wait time.Duration) *call.Refusal {
	b.t.Helper()
	a, err := b.Do(context.Background(), c, wait)
	refusal, is := errors.AsType[*call.Refusal](err)
	if !is {
		b.t.Fatalf("the call was not refused: %v %v", a, err)
	}
	return refusal
}

func (b *bench) enqueue(c *call.Call) call.ID {
	b.t.Helper()
	r, _, err := b.Enqueue(context.Background(), c, "", [32]byte{})
	if err != nil {
		b.t.Fatalf("Enqueue: %v", err)
	}
	return r.ID
}

// result looks at a call once everything has settled.
func (b *bench) result(id call.ID) call.Result {
	b.t.Helper()
	synctest.Wait()
	r, err := b.Result(context.Background(), "a/x", id, 0)
	if err != nil {
		b.t.Fatalf("Result: %v", err)
	}
	return r
}

func (b *bench) snap() Snapshot {
	b.t.Helper()
	synctest.Wait()
	s, err := b.Snapshot(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}
