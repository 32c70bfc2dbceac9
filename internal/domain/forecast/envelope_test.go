// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"math"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
)

func TestEnvelopeGoesUpAtOnceAndDownByHalves(t *testing.T) {
	e := forecast.NewEnvelope(5 * time.Minute)
	if got := e.At(begin); got != 0 {
		t.Errorf("a new envelope is at %v, want 0", got)
	}
	e.Observe(begin, 80)
	for after, want := range map[time.Duration]float64{-time.Hour: 80, 0: 80, 5 * time.Minute: 40, 10 * time.Minute: 20} {
		if got := e.At(begin.Add(after)); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s after the peak the envelope is at %v, want %v", after, got, want)
		}
	}
	e.Observe(begin.Add(5*time.Minute), 30)
	if got := e.At(begin.Add(10 * time.Minute)); math.Abs(got-20) > 1e-9 {
		t.Errorf("a lower level changed the envelope to %v, want 20", got)
	}
	e.Observe(begin.Add(10*time.Minute), 50)
	if got := e.At(begin.Add(15 * time.Minute)); math.Abs(got-25) > 1e-9 {
		t.Errorf("after a higher level the envelope is at %v, want 25", got)
	}
}
