// SPDX-License-Identifier: Apache-2.0

// Package intake is the side of the dispatcher that integrations see: the CRM's own API at another host. It finds out who calls, holds the call to the CRM's
// endpoint, decides whether it waits or is queued, and hands the CRM's answer back without a link that leads round the dispatcher.
package intake

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/lookup"
)

// Calls is what the intake needs of the scheduler. Errors are *call.Refusal, call.ErrKeyReused, call.ErrUnknown, or those of ctx.
type Calls interface {
	// Do sends a call within wait, or refuses it.
	Do(ctx context.Context, c *call.Call, wait time.Duration) (*call.Answer, error)
	// Enqueue stores a call durably, and returns what is known of it. seen: dedupeKey came before with this fingerprint, and that is known of the first call.
	Enqueue(ctx context.Context, c *call.Call, dedupeKey string, fingerprint [32]byte) (r call.Result, seen bool, err error)
	// Result of an acknowledged call of the integration; it waits for its end for as long as wait.
	Result(ctx context.Context, integration string, id call.ID, wait time.Duration) (call.Result, error)
	// List returns the first n calls of an integration behind after that are parked or dead, as state says, in the order of acceptance.
	List(ctx context.Context, integration string, state call.State, after call.ID, n int) ([]call.Result, error)
	// Resend queues a parked or dead call again, Drop ends a queued or parked one as dead. Their errors are also call.ErrOtherState and call.ErrBodyGone.
	Resend(ctx context.Context, integration string, id call.ID) error
	Drop(ctx context.Context, integration string, id call.ID) error
	// Request is a call as it was accepted, whatever state it is in; its errors are also call.ErrBodyGone.
	Request(ctx context.Context, integration string, id call.ID) (*call.Call, error)
	// Erase makes what is stored of an integration's calls unreadable that were accepted on days before that of before, and ends them.
	Erase(ctx context.Context, integration string, before time.Time) (call.Erasure, error)
	// Rooms is what the limits that count a call leave to its integration now; nil if it is not held to any.
	Rooms(ctx context.Context, c *call.Call) []call.Room
	// Saved counts a call of an integration that was answered without a request to the CRM.
	Saved(integration string)
	// Plan in force, nil before the first, and a channel that is closed when it changes.
	Plan() (*contract.Plan, <-chan struct{})
}

// Outcome is how a request ended. All its texts come from bounded sets.
type Outcome struct {
	// Integration and Operation are empty where the request did not get so far, or has none.
	Integration, Operation string
	// Code is Forwarded, Kept, Accepted, ClientGone, CutShort or the reason of a refusal.
	Code string
	Took time.Duration
	// Status is that of the answer, 0 if none was sent.
	Status int
	// Limit is the name of the one for which the request was refused; empty if it was not for one.
	Limit string
}

// Span is the trace of one request.
type Span interface {
	// Carry writes into the header of a call that it belongs to the trace.
	Carry(header http.Header)
	// End is called once.
	End(Outcome)
}

// Codes of outcomes besides the reasons of refusals.
const (
	Forwarded  = "Forwarded"
	Kept       = "Kept"
	Accepted   = "Accepted"
	ClientGone = "ClientGone"
	// CutShort: the CRM's answer ended in the middle.
	CutShort = "CutShort"
)

// Options of an Intake. Calls and Log are required.
type Options struct {
	Calls Calls
	Log   *slog.Logger
	// Observe, if set, is told of every request to the CRM's API.
	Observe func(Outcome)
	// Trace, if set, begins the trace of a request to the CRM's API that came in at began; nil if that is not traced.
	Trace func(r *http.Request, began time.Time) Span
	// Rand makes idempotency keys; crypto/rand by default.
	Rand io.Reader
}

// Intake is the handler that integrations talk to.
type Intake struct {
	Options
	memory *semaphore.Weighted
	// uploads bounds the calls whose bodies are passed on while they come in.
	uploads *semaphore.Weighted
	cached  atomic.Pointer[view]
	// answers are those of calls that only read.
	answers *lookup.Cache
}

// New returns an Intake.
func New(options Options) *Intake {
	if options.Rand == nil {
		options.Rand = rand.Reader
	}
	if options.Observe == nil {
		options.Observe = func(Outcome) {}
	}
	return &Intake{
		Options: options, memory: semaphore.NewWeighted(maxMemory), uploads: semaphore.NewWeighted(maxUploads), answers: lookup.New(),
	}
}

// ServeHTTP answers one request.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := &exchange{Intake: in, w: w, r: r, control: http.NewResponseController(w), started: time.Now()}
	defer e.recoverPanic()
	// A deadline left by the previous request on the connection must not end this one.
	_ = e.control.SetWriteDeadline(time.Time{}) // not supported: there is none to clear
	e.finish(e.serve())                         //nolint:contextcheck // the request carries it
}

// exchange is one request on its way through the intake.
type exchange struct {
	*Intake
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	started time.Time

	// What has been found out so far.
	view   *view
	caller caller
	path   string // decoded
	call   *call.Call
	// answered: the status has been sent.
	answered bool
	status   int
	// limit is the one for which it was refused.
	limit string
	// span is nil if the request is not traced.
	span Span
	// extended is when the client was last given more time to take the answer.
	extended time.Time
}

// serve is the way of a request: each step may refuse it.
func (e *exchange) serve() error {
	var err error
	if e.view, err = e.current(); err != nil {
		return err
	}
	if err := e.observing(); err != nil {
		return err
	}
	if e.isLogin() {
		return e.login()
	}
	if e.caller, err = e.view.clients.authenticate(e.started, e.r.Header); err != nil {
		return err
	}
	if e.path, err = confine(e.r); err != nil {
		return err
	}
	if isOwn(e.path) {
		return e.answerOwn()
	}
	if e.Trace != nil {
		e.span = e.Trace(e.r, e.started)
	}
	if e.r.ContentLength > maxBody {
		return e.upload()
	}
	body, release, err := e.readBody()
	if err != nil {
		return err
	}
	defer release()
	class, err := e.newCall(body)
	if err != nil {
		return err
	}
	return e.dispatch(e.view.route(e.caller.integration, class, e.r, e.path, e.started))
}

// observing refuses calls to the CRM under Observe, whoever makes them: nobody needs to be declared as a client then. Results of calls that were queued before can be
// had.
func (e *exchange) observing() error {
	if !e.view.plan.Observe {
		return nil
	}
	if path, err := confine(e.r); err != nil || isOwn(path) {
		return err
	}
	return call.RefuseObserving()
}

// current is what follows from the plan in force.
func (in *Intake) current() (*view, error) {
	plan, _ := in.Calls.Plan()
	if plan == nil {
		return nil, &call.Refusal{Code: contract.ReasonNoPlan, Detail: "the dispatcher has no plan yet"}
	}
	if cached := in.cached.Load(); cached != nil && cached.plan == plan {
		return cached, nil
	}
	made, err := newView(plan)
	if err != nil {
		in.Log.Error("The plan in force cannot be served", "sequence", plan.Sequence, "error", err)
		return nil, &call.Refusal{Code: contract.ReasonNoPlan, Detail: "the plan in force cannot be served"}
	}
	in.cached.Store(made)
	return made, nil
}

// recoverPanic answers for a fault of ours, so that one bad request does not end the process.
func (e *exchange) recoverPanic() {
	fault := recover()
	switch fault {
	case nil:
		return
	case http.ErrAbortHandler:
		panic(fault)
	}
	e.Log.Error("A request ended in a panic", "panic", fault, "stack", string(debug.Stack()))
	if e.answered {
		panic(http.ErrAbortHandler) // so that the client does not take half an answer for a whole one
	}
	e.finish(&call.Refusal{Code: contract.ReasonInternal, Detail: "a fault of the dispatcher"})
}
