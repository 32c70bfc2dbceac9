// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/reference"
)

// unreadAttempts give a call whose key is missing a pause of 8 s at most: when the key is back, its calls are not to wait for long.
const unreadAttempts = 3

// unreadable is the state of a queued call that could not be read from the store, and why. One whose key is missing waits for it: nothing is lost yet.
func unreadable(err error) (to call.State, reason string) {
	problem, refers := errors.AsType[*reference.Error](err)
	switch {
	case refers:
		return call.StateDead, problem.Error()
	case errors.Is(err, sealing.ErrNoKey):
		return call.StateQueued, ""
	case errors.Is(err, backlog.ErrErased):
		return call.StateDead, backlog.Erased
	default:
		return call.StateParked, err.Error()
	}
}

// Encryption says what is missing to encrypt what is stored of calls, or to open what is encrypted; nil if nothing is.
func (s *Scheduler) Encryption() error { return s.useStore(s.options.Store.CheckKeys) }

// refuseSealed puts a missing key, or the end of the dispatcher, into the words of a refusal; other errors stay as they are.
func refuseSealed(err error) error {
	if errors.Is(err, sealing.ErrNoKey) {
		return refuseNoKey()
	}
	return refuseStopped(err)
}

func refuseNoKey() *call.Refusal {
	return &call.Refusal{
		Code:   contract.ReasonEncryptionKeyMissing,
		Detail: "what is stored of calls is encrypted, and the key for it is missing: the CRM object's condition CredentialsResolved says which",
	}
}
