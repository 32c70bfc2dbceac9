// SPDX-License-Identifier: Apache-2.0

// Package scheduler decides which call is sent next, and sees it through: one goroutine owns the ledger, the shares and the queues' fronts. Each turn of its
// loop takes what has happened, decides, commits everything decided in one batch with one fsync, and only then lets it become visible: calls leave, results
// appear.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/hidden"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Sender puts a call on the wire. upstream.Client does.
type Sender interface {
	Send(ctx context.Context, charge *upstream.Charge, to upstream.Destination, what *call.Call) upstream.Outcome
}

// Provider is what the scheduler has to know of a CRM's dialect.
type Provider interface {
	// Canonical is the one form of a decoded path: patterns are held against it, and records are told apart by it.
	Canonical(path string) string
	// Jobs reads from an answer, with the method of its call, which background jobs have started by it, and which are said to have ended.
	Jobs(method string, status int, body []byte) (started, ended []string)
	// PollJobs asks of the first asked of these jobs whether they have ended, for Jobs to read; 0 if the CRM cannot be asked.
	PollJobs(jobs []string) (poll dialect.Request, asked int)
	// Batch is how calls of an operation become one bulk call, and false if they cannot.
	Batch(operation string) (dialect.Batch, bool)
	// Mixed is how calls of different operations become one bulk call, and false if they cannot.
	Mixed() (dialect.MixedBatch, bool)
	// Operations are those that have names.
	Operations() []dialect.Operation
	// Refused says whether an answer is a refusal for quota, what of, and for how long the CRM asked to be left alone.
	Refused(answer dialect.Answer, now time.Time) dialect.Verdict
	// Readings are what an answer's header says of the CRM's limits; now is when it came.
	Readings(header http.Header, now time.Time) []dialect.Reading
	// Usage is how the CRM is asked what has been used of its limits, and false if it does not tell.
	Usage() (dialect.Usage, bool)
}

// Observer is told how long things take, and what was erased. Its methods must be quick: the loop calls them.
type Observer interface {
	// Decided: a call of the integration had waited this long when it was let through.
	Decided(integration string, waited time.Duration)
	// Exchanged: a request took this long; status is 0 if no answer came.
	Exchanged(integration, operation string, took time.Duration, status int)
	// Held: a client's call has waited this long when it was let through. It is not called on the loop.
	Held(what *call.Call, waited time.Duration, by Held)
	// Erased: an order to erase has ended so many queued and parked calls.
	Erased(integration string, calls int)
}

// Held is what held a call back when it came: a cause, and the limit that was the binding one, if one was.
type Held struct {
	Cause contract.Cause
	Limit string
}

// Options of a Scheduler. All but Past and Observer are required.
type Options struct {
	Store    backlog.Store
	Upstream Sender
	// Provider is the one that a plan names, false if there is none.
	Provider func(plan *contract.Plan) (Provider, bool)
	// Machine reads the machine's clocks.
	Machine func() backlog.Machine
	// Now is the dispatcher's timeline: where it was when the process started plus the time that has passed since. It is never stepped.
	Now    func() time.Time
	Guards limits.Guards
	// Past is what the newest plan that can be read says of the ledger; zero if there is none. The stored plan may be older.
	Past     contract.LedgerPast
	Random   *rand.Rand
	Logger   *slog.Logger
	Observer Observer
}

// Scheduler admits, queues and sends calls. Its exported methods may be called by many goroutines while Run runs.
type Scheduler struct {
	options  Options
	commands chan func()
	// takeOffs are taken by pilots who wait.
	takeOffs  chan *flight
	stopped   chan struct{}
	published atomic.Pointer[inForce]
	watchers  watchers

	// users are methods that use the store outside the loop; once closed is set, there are no new ones.
	mu     sync.Mutex
	closed bool
	users  sync.WaitGroup

	// What follows belongs to the loop.

	ledger  *ledger.Ledger
	sharing *fairshare.Sharing
	// guards are those of the options with what the plan says of the CRM.
	guards limits.Guards
	origin origin
	// position counts the commits that were durable.
	position int64
	plan     *contract.Plan
	provider Provider
	// tariff prices calls by the plan; nil before the first. recordLimits are the limits that each record has for itself, jobLimits those whose slots are held
	// until jobs end.
	tariff                  *tariff.Tariff
	recordLimits, jobLimits []int
	// encodedPlan is the plan in force as it is stored.
	encodedPlan []byte
	// schedules of the plan's integrations; sharesUntil is when another override can hold.
	schedules   []schedule
	sharesUntil time.Time
	// limitsUntil is when the plan has other limits than those in force; zero for never.
	limitsUntil time.Time
	lanes       map[string]*lane
	byOwner     map[ledger.Owner]*lane
	// order has the lanes by key.
	order []*lane
	// backlogOpen: the lanes offer queued calls; backlogShut: but for a probe. costly: the last one that failed would be parked if it could not be sent again.
	backlogOpen, backlogShut, costly bool
	// outageLogged is when it was logged last that the CRM fails queued calls.
	outageLogged time.Time

	// total is the demand of all integrations together, ahead what is asked for from forecastAt on, by limit.
	total        demand
	ahead        []forecast.Curve
	forecastAt   time.Time
	meanDuration time.Duration
	// advisors try out larger and smaller licences; advisorOf has them by limit. inadequate is what they said last.
	advisors   []*forecast.Advisor
	advisorOf  []*forecast.Advisor
	inadequate bool
	// memorisedAt is when what was learnt was stored.
	memorisedAt time.Time

	// jobs are those that hold slots, by the CRM's names for them.
	jobs    map[string]*flight
	jobPoll jobPoll

	flights map[ledger.ID]*flight
	lastID  ledger.ID
	// bulks are the bulk calls that have members, by their charges.
	bulks map[ledger.ID]*bulkCall
	// scarce: a limit of a day or longer is likely to run out.
	scarce bool
	// refusals holds back all calls after a refusal for quota, outages the backlog after a failure. holds are for refusals that are about some calls only.
	refusals, outages gate
	holds             holds
	crmClock          crmClock
	word              word
	// learner learns limits that are not declared; paces: it knows of some.
	learner *hidden.Learner
	paces   bool
	// accesses are how the CRM takes its users as whom calls go out, by user.
	accesses  map[string]*access
	answering answering
	usage     usage

	batch *backlog.Batch
	// effects become visible once batch is durable.
	effects []func()
	writing writing
	// epoch is the moment of the timeline at which the clock of the store was 0.
	epoch time.Time
	// unsure: from moments of the timeline before it on, more time may have passed than the timeline shows.
	unsure time.Time
	// horizon was committed last, checkpoint is when a batch was.
	horizon, checkpoint time.Time
	// orders about calls are carried out in the next turn.
	orders []order
	// erasures end calls whose contents are gone.
	erasures []*erasure
	// nextDue is when the store has a call whose time is over; zero: look.
	nextDue  time.Time
	stopping bool
	flying   context.Context //nolint:containedctx // the calls in flight outlive the clients that made them
	land     context.CancelFunc
}

var errStopped = errors.New("the dispatcher has stopped")

// New returns a scheduler that goes on where the store ends.
func New(o Options) (*Scheduler, error) {
	s := &Scheduler{
		options:  o,
		commands: make(chan func(), maxCommands),
		stopped:  make(chan struct{}),
		takeOffs: make(chan *flight),
		guards:   o.Guards,
		lanes:    map[string]*lane{},
		byOwner:  map[ledger.Owner]*lane{},
		jobs:     map[string]*flight{},
		flights:  map[ledger.ID]*flight{},
		bulks:    map[ledger.ID]*bulkCall{},
		accesses: map[string]*access{},
		refusals: gate{least: time.Second, most: time.Minute},
		outages:  gate{least: time.Second, most: time.Minute},
		holds:    holds{},
		crmClock: crmClock{guards: o.Guards},
		word:     newWord(),
		learner:  hidden.New(o.Now(), o.Guards),
		batch:    newBatch(),
	}
	s.published.Store(&inForce{changed: make(chan struct{})})
	s.flying, s.land = context.WithCancel(context.Background())
	if err := s.restore(); err != nil {
		return nil, fmt.Errorf("restore from the store: %w", err)
	}
	return s, nil
}

func newBatch() *backlog.Batch { return &backlog.Batch{Tallies: map[string]backlog.Tally{}} }

// submit has f run on the loop, which may be told to stop before it comes to that: who waits for f waits for stopped, too.
func (s *Scheduler) submit(ctx context.Context, f func()) error {
	select {
	case s.commands <- f:
		return nil
	case <-s.stopped:
		return errStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// onLoop returns what f finds on the loop. Its error is that of ctx, or that the scheduler has stopped.
func onLoop[T any](ctx context.Context, s *Scheduler, f func() T) (found T, err error) {
	answer := make(chan T, 1)
	if err := s.submit(ctx, func() { answer <- f() }); err != nil {
		return found, err
	}
	select {
	case found = <-answer:
		return found, nil
	case <-s.stopped:
		return found, errStopped
	case <-ctx.Done():
		return found, context.Cause(ctx)
	}
}

// visible has f run once everything decided in this turn is durable.
func (s *Scheduler) visible(f func()) { s.effects = append(s.effects, f) }

// count adds to an integration's tally.
func (s *Scheduler) count(integration string, t backlog.Tally) {
	sum := s.batch.Tallies[integration]
	sum.Add(t)
	s.batch.Tallies[integration] = sum
}

// Accepting says why calls cannot be accepted durably, or returns nil. It asks the loop, so it also shows that the loop runs.
func (s *Scheduler) Accepting(ctx context.Context) error {
	stopping, err := onLoop(ctx, s, func() bool { return s.stopping })
	if err != nil {
		return err
	}
	if stopping {
		return errStopped
	}
	return s.useStore(s.options.Store.Room)
}
