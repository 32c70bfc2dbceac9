// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/controllers/fakedispatcher"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const host = "zendesk-crm-dispatcher.contact-centre.svc"

var (
	crm   = types.NamespacedName{Namespace: "contact-centre", Name: "zendesk"}
	quick = Periods{Report: 50 * time.Millisecond, Retry: 10 * time.Millisecond, Hold: 2 * time.Second}
)

func newCollector(t *testing.T, periods Periods, token string) *Collector {
	t.Helper()
	c := NewCollector(func() (string, error) { return token, nil }, periods)
	changes := c.Changes()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Start(ctx) }()
	go func() {
		for {
			select {
			case <-changes:
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

func targetOf(d *fakedispatcher.Dispatcher, ca string) Target {
	return Target{Address: net.JoinHostPort(d.Address, strconv.Itoa(contract.ReportPort)), ServerName: host, Claim: "claim", CA: ca}
}

// await polls what is known until check is content with it.
func await(t *testing.T, c *Collector, what string, check func(Observation) bool) Observation {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		o := c.Latest(crm)
		if check(o) {
			return o
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not yet; known is %+v", what, o)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestCAOfANewVolumeIsTrustedOnFirstUse(t *testing.T) {
	tests := map[string]func(*contract.Report){
		"that the report names":        func(*contract.Report) {},
		"that only the chain presents": func(r *contract.Report) { r.Certificate.CAPEM = "" },
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			d := fakedispatcher.New(t, host)
			d.Edit(edit)
			c := newCollector(t, quick, "")
			c.Follow(t.Context(), crm, targetOf(d, ""))
			o := await(t, c, "a report", func(o Observation) bool { return o.Report != nil })
			if o.CA != d.CA || o.Claim != "claim" {
				t.Errorf("pinned %q for claim %s", o.CA, o.Claim)
			}
		})
	}
}

// TestCertificateFromBeforeTheFirstPlan: until then the dispatcher does not know the name of its Service.
func TestCertificateFromBeforeTheFirstPlan(t *testing.T) {
	d := fakedispatcher.New(t, "localhost")
	c := newCollector(t, quick, "")
	c.Follow(t.Context(), crm, targetOf(d, ""))
	await(t, c, "the certificate is refused", func(o Observation) bool { return o.Failure != "" })
	d.Present(host)
	await(t, c, "the certificate that came with the plan is believed", func(o Observation) bool { return o.CA == d.CA })
}

func TestReportsThatAreNotBelieved(t *testing.T) {
	another := fakedispatcher.New(t, host)
	tests := map[string]struct {
		prepare func(*fakedispatcher.Dispatcher) Target
		want    error
	}{
		"a certificate of another CA than the pinned one": {
			func(d *fakedispatcher.Dispatcher) Target { return targetOf(d, another.CA) }, errCertificate,
		},
		"on first use, a CA that did not sign the certificate": {
			func(d *fakedispatcher.Dispatcher) Target {
				d.Edit(func(r *contract.Report) { r.Certificate.CAPEM = another.CA })
				return targetOf(d, "")
			}, errCertificate,
		},
		"a certificate for another host": {
			func(d *fakedispatcher.Dispatcher) Target {
				target := targetOf(d, d.CA)
				target.ServerName = "sales-crm-dispatcher.contact-centre.svc"
				return target
			}, errCertificate,
		},
		"nobody listens": {
			func(*fakedispatcher.Dispatcher) Target { return Target{Address: "127.2.0.1:9", ServerName: host} }, errNoConnection,
		},
		"the token is refused": {
			func(d *fakedispatcher.Dispatcher) Target {
				d.Demand("another")
				return targetOf(d, d.CA)
			}, errors.New("the dispatcher answers its manager with status 401"),
		},
		"a report of another schema": {
			func(d *fakedispatcher.Dispatcher) Target {
				d.Edit(func(r *contract.Report) { r.Schema = 99 })
				return targetOf(d, d.CA)
			}, errors.New("the dispatcher's report has schema 99, this manager reads 2: they are of different versions"),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t, quick, "mine")
			c.Follow(t.Context(), crm, test.prepare(fakedispatcher.New(t, host)))
			o := await(t, c, "a failure", func(o Observation) bool { return o.Failure != "" })
			if o.Failure != test.want.Error() || o.Report != nil {
				t.Errorf("failure %q with report %v, want %q and none", o.Failure, o.Report, test.want)
			}
		})
	}
}

func TestTokenIsPresented(t *testing.T) {
	d := fakedispatcher.New(t, host)
	d.Demand("mine")
	c := newCollector(t, quick, "mine")
	c.Follow(t.Context(), crm, targetOf(d, d.CA))
	await(t, c, "a report", func(o Observation) bool { return o.Report != nil })
}

// TestNewPlanIsReportedAtOnce: the report period is an hour here, so only the long poll can bring the confirmation.
func TestNewPlanIsReportedAtOnce(t *testing.T) {
	d := fakedispatcher.New(t, host)
	c := newCollector(t, Periods{Report: time.Hour, Retry: 10 * time.Millisecond, Hold: 5 * time.Second}, "")
	target := targetOf(d, d.CA)
	c.Follow(t.Context(), crm, target)
	await(t, c, "the first report", func(o Observation) bool { return o.Report != nil })
	target.Sequence = 7
	c.Follow(t.Context(), crm, target)
	d.Enforce(&contract.Plan{Sequence: 7})
	await(t, c, "the confirmation", func(o Observation) bool { return o.Report.Sequence == 7 })
}

// TestTokenOnItsWayIsWaitedFor: the CRM becomes ready as soon as the token is there, not a period later.
func TestTokenOnItsWayIsWaitedFor(t *testing.T) {
	d := fakedispatcher.New(t, host)
	d.Edit(func(r *contract.Report) { r.Credentials = contract.CredentialsReport{Token: contract.TokenPending} })
	c := newCollector(t, Periods{Report: time.Hour, Retry: 10 * time.Millisecond, Hold: time.Second}, "")
	c.Follow(t.Context(), crm, targetOf(d, d.CA))
	await(t, c, "the first report", func(o Observation) bool { return o.Report != nil })
	d.Edit(func(r *contract.Report) { r.Credentials = contract.CredentialsReport{Resolved: true} })
	await(t, c, "the token", func(o Observation) bool { return o.Report.Credentials.Resolved })
}

// TestRefusedPlanIsNotWaitedFor: a dispatcher that refused the plan is asked as rarely as one that is up to date.
func TestRefusedPlanIsNotWaitedFor(t *testing.T) {
	d := fakedispatcher.New(t, host)
	d.Edit(func(r *contract.Report) {
		r.Sequence, r.Rejected = 6, &contract.RejectedPlan{Sequence: 7, Reason: "limits[0]: no such zone"}
	})
	c := newCollector(t, Periods{Report: time.Hour, Retry: 10 * time.Millisecond, Hold: time.Second}, "")
	target := targetOf(d, d.CA)
	target.Sequence = 7
	c.Follow(t.Context(), crm, target)
	o := await(t, c, "a report", func(o Observation) bool { return o.Report != nil })
	if o.Report.Rejected == nil {
		t.Fatal("the refusal is lost")
	}
	time.Sleep(300 * time.Millisecond)
	if served := d.Served(); served != 1 {
		t.Errorf("asked %d times within a period", served)
	}
}

func TestRecoveryAfterFailure(t *testing.T) {
	d := fakedispatcher.New(t, host)
	d.Demand("later")
	c := newCollector(t, quick, "mine")
	c.Follow(t.Context(), crm, targetOf(d, d.CA))
	await(t, c, "a failure", func(o Observation) bool { return o.Failure != "" })
	d.Demand("mine")
	await(t, c, "a report", func(o Observation) bool { return o.Report != nil && o.Failure == "" })
}

func TestPauseKeepsAndForgetDrops(t *testing.T) {
	d := fakedispatcher.New(t, host)
	c := newCollector(t, quick, "")
	since := c.Await(crm).Since
	c.Follow(t.Context(), crm, targetOf(d, d.CA))
	await(t, c, "a report", func(o Observation) bool { return o.Report != nil })
	c.Pause(crm)
	if o := c.Latest(crm); o.Report == nil || !o.Since.Equal(since) {
		t.Errorf("after Pause known is %+v", o)
	}
	c.Forget(crm)
	if o := c.Latest(crm); o.Report != nil || !o.Since.IsZero() {
		t.Errorf("after Forget known is %+v", o)
	}
	time.Sleep(3 * quick.Report)
	if o := c.Latest(crm); o.Report != nil {
		t.Error("a follower that was stopped still records")
	}
}

func TestTheLastReportBeforeAVolumeWasPutBackIsKept(t *testing.T) {
	var o Observation
	for n, step := range []struct {
		volume   string
		position int64
		want     int64 // position of the report that is kept; 0 for none
	}{
		{"a", 5, 0}, {"a", 5, 0}, {"a", 9, 0}, {"a", 6, 9}, {"a", 7, 9}, {"", 0, 9}, {"b", 8, 9}, {"b", 10, 9}, {"c", 1, 10},
	} {
		o.receive(&contract.Report{Volume: step.volume, Position: step.position}, time.Time{})
		var got int64
		if o.Former != nil {
			got = o.Former.Position
		}
		if got != step.want {
			t.Errorf("after report %d that of position %d is kept, want %d", n+1, got, step.want)
		}
	}
}

func TestTheLastReportOfTheVolumeBeforeIsKept(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	report := func(volume string, sequence int64) *contract.Report {
		return &contract.Report{Volume: volume, Sequence: sequence}
	}
	var o Observation
	for n, step := range []struct {
		report *contract.Report
		want   int64 // sequence of the report that is kept; 0 for none
	}{
		{report("", 1), 0}, {report("a", 2), 0}, {report("a", 3), 0}, {report("", 4), 0}, {report("b", 5), 3}, {report("b", 6), 3}, {report("", 7), 3}, {report("c", 8), 6},
	} {
		o.receive(step.report, start.Add(time.Duration(n)*time.Second))
		var got int64
		if o.Former != nil {
			got = o.Former.Sequence
		}
		if got != step.want || o.Report != step.report {
			t.Errorf("after report %d that of sequence %d is kept, want %d", n+1, got, step.want)
		}
	}
	if want := start.Add(5 * time.Second); !o.FormerTime.Equal(want) {
		t.Errorf("it came at %s, want %s", o.FormerTime, want)
	}
}
