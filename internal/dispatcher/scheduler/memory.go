// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"

	"github.com/crmquota/crm-quota-operator/internal/domain/hidden"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// memory is what was learnt of demand and of hidden limits, as it is stored. Forecasts of limits are found by limitKey.
type memory struct {
	Integrations map[string]learnt
	Total        learnt
	Advisors     map[string][]byte
	Hidden       []hidden.Limit
}

// learnt is what was learnt of one demand.
type learnt struct {
	History []byte
	Demands map[string][]byte
}

// limitKey names a limit by how it counts, so that a renamed or larger one finds what was learnt.
func limitKey(l limits.Limit) string {
	return fmt.Sprintf("%q %q %t %d %d %d %d", l.Meter.Subject, l.Meter.Credential, l.Meter.PerRecord, l.Unit, l.Kind, l.Window, l.Period)
}

// memorise puts what was learnt into a form that can be stored.
func (s *Scheduler) memorise() []byte {
	m := memory{
		Integrations: map[string]learnt{}, Total: s.total.snapshot(), Advisors: map[string][]byte{}, Hidden: s.learner.Limits(s.options.Now()),
	}
	for _, l := range s.order {
		if l.spec != nil {
			m.Integrations[l.key] = l.demand.snapshot()
		}
	}
	for _, a := range s.advisors {
		m.Advisors[limitKey(a.Limit())] = a.Snapshot(nil)
	}
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(m); err != nil {
		panic("scheduler: maps of bytes always encode: " + err.Error())
	}
	return encoded.Bytes()
}

// remember goes on from what was stored. What cannot be read begins anew; the error says so.
func (s *Scheduler) remember(encoded []byte) error {
	if len(encoded) == 0 || s.plan == nil {
		return nil
	}
	var m memory
	if err := gob.NewDecoder(bytes.NewReader(encoded)).Decode(&m); err != nil {
		return err
	}
	s.learner.Restore(s.options.Now(), m.Hidden)
	s.paces = len(m.Hidden) > 0
	errs := []error{s.total.restore(m.Total)}
	for _, l := range s.order {
		if l.spec != nil {
			errs = append(errs, l.demand.restore(m.Integrations[l.key]))
		}
	}
	for _, a := range s.advisors {
		if from := m.Advisors[limitKey(a.Limit())]; from != nil {
			errs = append(errs, a.Restore(from))
		}
	}
	return errors.Join(errs...)
}

func (d *demand) snapshot() learnt {
	if d.history == nil {
		return learnt{}
	}
	l := learnt{History: d.history.Snapshot(nil), Demands: map[string][]byte{}}
	for k, f := range d.all {
		if f == nil {
			continue
		}
		l.Demands[limitKey(d.of[k])] = f.Snapshot(nil)
	}
	return l
}

func (d *demand) restore(l learnt) error {
	if l.History == nil {
		return nil
	}
	errs := []error{d.history.Restore(l.History)}
	for k, f := range d.all {
		if from := l.Demands[limitKey(d.of[k])]; from != nil && f != nil {
			errs = append(errs, f.Restore(from))
		}
	}
	return errors.Join(errs...)
}
