// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"context"
	"math/rand/v2"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// follower asks one dispatcher until it is stopped.
type follower struct {
	crm       types.NamespacedName
	target    Target
	collector *Collector
	stop      context.CancelFunc
}

func (f *follower) run(ctx context.Context) {
	reports := newReportClient(f.target, f.collector.token)
	defer reports.close()
	periods := f.collector.periods
	retry := periods.Retry
	behind := true
	for {
		hold := time.Duration(0)
		if behind {
			hold = periods.Hold
		}
		started := time.Now()
		report, ca, err := reports.get(ctx, f.target.Sequence, hold)
		if ctx.Err() != nil {
			return
		}
		var pause time.Duration
		switch {
		case err != nil:
			f.failed(ctx, err)
			pause, retry = retry, min(2*retry, periods.Report)
		default:
			f.succeeded(ctx, report, ca)
			retry = periods.Retry
			behind = isBehind(report, f.target.Sequence)
			pause = periods.Report
			if behind {
				// A dispatcher that does not hold its answers back is not asked in a tight loop.
				pause = max(0, periods.Retry-time.Since(started))
			}
			if report.Credentials.Token == contract.TokenPending { // it comes, or fails, in a moment
				pause = periods.Retry
			}
		}
		if !sleep(ctx, jitter(pause)) {
			return
		}
	}
}

// isBehind says whether the dispatcher may still be about to put the plan in force.
func isBehind(report *contract.Report, sequence int64) bool {
	refused := report.Rejected != nil && report.Rejected.Sequence >= sequence
	return report.Sequence < sequence && !refused
}

func (f *follower) succeeded(ctx context.Context, report *contract.Report, ca string) {
	now := time.Now()
	f.collector.record(ctx, f, func(o *Observation) bool {
		news := o.Failure != "" || o.Claim != f.target.Claim || o.CA != ca || !reflect.DeepEqual(o.Report, report)
		o.receive(report, now)
		o.Claim, o.CA, o.Failure = f.target.Claim, ca, ""
		return news
	})
}

func (f *follower) failed(ctx context.Context, err error) {
	f.collector.record(ctx, f, func(o *Observation) bool {
		news := o.Failure != err.Error()
		o.Failure = err.Error()
		if news {
			log.FromContext(ctx).Info("Report not read", "reason", o.Failure)
		}
		return news
	})
}

// jitter spreads a pause by a tenth to both sides, so that a thousand dispatchers are not asked in one moment.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
