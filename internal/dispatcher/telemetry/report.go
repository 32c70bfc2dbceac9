// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/token"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// maxHold is the longest that a report is held back.
	maxHold = 60 * time.Second
	// loopTime is how long the scheduler's loop may take to answer before it counts as stuck.
	loopTime = 3 * time.Second
)

// Facts are where a report comes from. All are required.
type Facts struct {
	Scheduler Scheduler
	// Ready says why calls cannot be accepted, or returns nil.
	Ready func(context.Context) error
	// Rejected is why the newest plan is not in force.
	Rejected    func() *contract.RejectedPlan
	Certificate func(now time.Time) contract.CertificateReport
	Credentials func(upstream.Destination) contract.CredentialsReport
	// Encryption says what is missing to encrypt what is stored of calls, or to open what is encrypted; nil if nothing is.
	Encryption func() error
	Endpoint   func() contract.EndpointReport
	// Callbacks adds to what is counted of an integration's callbacks how its receivers take them.
	Callbacks func(integration string, r *contract.CallbacksReport)
}

// Report returns the dispatcher's word on itself. Its error means that the scheduler does not answer.
func (f Facts) Report(ctx context.Context, now time.Time) (contract.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, loopTime)
	defer cancel()
	snapshot, err := f.Scheduler.Snapshot(ctx)
	if err != nil {
		return contract.Report{}, err
	}
	report := contract.Report{
		Schema:       contract.ReportSchema,
		Rejected:     f.Rejected(),
		Certificate:  f.Certificate(now),
		Endpoint:     f.Endpoint(),
		Enforcing:    snapshot.Enforcing,
		Windows:      snapshot.Windows,
		Backlog:      snapshot.Backlog,
		Integrations: snapshot.Integrations,
		Volume:       snapshot.Volume,
		Ledger:       snapshot.Ledger,
		Position:     snapshot.Position,
		Advice:       snapshot.Advice,
		RefusedUntil: snapshot.RefusedUntil,
		Learnt:       snapshot.Learnt,
		Answering:    snapshot.Answering,
		Usage:        snapshot.Usage,
	}
	if err := f.Ready(ctx); err != nil {
		report.NotReady = err.Error()
	}
	report.Ready = report.NotReady == ""
	if plan := snapshot.Plan; plan != nil {
		report.Sequence, report.Generation, report.CRMUID = plan.Sequence, plan.CRM.Generation, plan.CRM.UID
		report.Credentials = f.Credentials(upstream.To(plan, plan.Credentials))
		report.Credentials.Refused = snapshot.CredentialsRefused
		if err := f.Encryption(); err != nil {
			report.Credentials.EncryptionKeyMissing = err.Error()
		}
		f.addOwn(plan, report.Integrations)
		for i := range report.Integrations {
			if r := &report.Integrations[i]; r.Callbacks != nil {
				f.Callbacks(r.Namespace+"/"+r.Name, r.Callbacks)
			}
		}
	}
	return report, nil
}

// addOwn adds to the reports of integrations what is known of their own credentials; plan is the one that they are of.
func (f Facts) addOwn(plan *contract.Plan, reports []contract.IntegrationReport) {
	own := make(map[string]*contract.Credentials, len(plan.Integrations))
	for i := range plan.Integrations {
		own[plan.Integrations[i].UID] = plan.Integrations[i].Credentials
	}
	for i := range reports {
		kind := own[reports[i].UID]
		if kind == nil {
			continue
		}
		found := f.Credentials(upstream.To(plan, *kind))
		found.Refused = reports[i].Credentials != nil && reports[i].Credentials.Refused
		reports[i].Credentials = &found
	}
}

// ReportHandler serves the report to the manager.
type ReportHandler struct {
	facts Facts
	log   *slog.Logger

	mu       sync.Mutex
	verifier *token.Verifier
	keysOf   *contract.Plan // the plan that verifier is made from
}

// NewReportHandler returns a handler of contract.ReportPath.
func NewReportHandler(facts Facts, log *slog.Logger) *ReportHandler {
	return &ReportHandler{facts: facts, log: log}
}

// ServeHTTP answers with the report, once the plan in force has the sequence that the query asks for or the time to wait is over.
func (h *ReportHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	after, errAfter := number(r, "after")
	wait, errWait := number(r, "wait")
	switch {
	case r.URL.Path != contract.ReportPath || r.Method != http.MethodGet:
		problem(w, http.StatusNotFound, "only GET "+contract.ReportPath+" is served here")
		return
	case errors.Join(errAfter, errWait) != nil:
		problem(w, http.StatusBadRequest, "after and wait must be numbers")
		return
	}
	if err := h.authorised(r, time.Now()); err != nil {
		problem(w, http.StatusUnauthorized, err.Error())
		return
	}
	if !h.hold(r.Context(), after, min(time.Duration(wait)*time.Second, maxHold)) {
		return // the manager has gone
	}
	report, err := h.facts.Report(r.Context(), time.Now())
	if err != nil {
		problem(w, http.StatusServiceUnavailable, "the scheduler does not answer")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(report); err != nil {
		h.log.Debug("The report was not taken", "error", err)
	}
}

// number reads a query parameter that may be missing.
func number(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	return int64(n), err //nolint:gosec // of 31 bits
}

// authorised returns why the request may not read the report. Before the first plan nobody can be told from anybody, and the report says no more than that there is
// no plan; a plan without a reader asks for no token.
func (h *ReportHandler) authorised(r *http.Request, now time.Time) error {
	plan, _ := h.facts.Scheduler.Plan()
	if plan == nil || plan.ReportReader == "" {
		return nil
	}
	verifier, err := h.verifierFor(plan)
	if err != nil {
		return err
	}
	raw, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer {
		return errors.New("a service account token is required")
	}
	subject, err := verifier.Subject(now, raw, contract.ReportAudience)
	if err == nil && subject != plan.ReportReader {
		err = errors.New("the service account may not read the report")
	}
	return err
}

func (h *ReportHandler) verifierFor(plan *contract.Plan) (*token.Verifier, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.keysOf != plan {
		made, err := token.NewVerifier(plan.TokenIssuers)
		if err != nil {
			return nil, err
		}
		h.verifier, h.keysOf = made, plan
	}
	return h.verifier, nil
}

// hold returns when the plan in force has a sequence of at least after, when that plan was rejected, or when the time is over; false when ctx has ended.
func (h *ReportHandler) hold(ctx context.Context, after int64, wait time.Duration) bool {
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		plan, changed := h.facts.Scheduler.Plan()
		rejected := h.facts.Rejected()
		if plan != nil && plan.Sequence >= after || rejected != nil && rejected.Sequence >= after {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-over.C:
			return true
		case <-changed:
		}
	}
}

func problem(w http.ResponseWriter, status int, detail string) {
	response := dialect.Problem{Status: status, Detail: detail}.Response()
	w.Header()["Content-Type"] = response.Header["Content-Type"]
	w.WriteHeader(status)
	_, _ = w.Write(response.Body) // the client may have gone
}
