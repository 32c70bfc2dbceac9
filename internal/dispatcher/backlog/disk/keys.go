// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Keyspaces, besides that of the vault. The letters are on disk: they never change their meaning within a format.
const (
	spaceMeta   = 'm' // name -> see the names below
	spaceRecord = 's' // ref -> record
	spaceQueue  = 'q' // ref -> nothing; one for each queued call
	spaceBody   = 'b' // ref -> the request's body, until the call ends
	spaceAnswer = 'r' // ref -> the answer's body
	spaceDue    = 'x' // time, ref -> nothing; one for each call that is not sent
	spaceDedupe = 'd' // integration, hash of key -> dedupe
	spaceOpen   = 'o' // id -> charge
	spaceEnded  = 'l' // end, id -> charge
	spaceTally  = 'n' // integration -> tally, by merging
)

var (
	keyFormat = []byte("mformat")
	keyVolume = []byte("mvolume")
	keyPlan   = []byte("mplan")
	keyMemory = []byte("mmemory")
	keyClock  = []byte("mclock")
)

// sep ends an integration's name, which has no zero byte; sep+1 is above every key of the integration.
const sep = 0

func refKey(space byte, ref backlog.Ref) []byte {
	return append(integrationKey(space, ref.Integration), ref.ID...)
}

func integrationKey(space byte, integration string) []byte {
	key := make([]byte, 0, len(integration)+2+26)
	key = append(key, space)
	key = append(key, integration...)
	return append(key, sep)
}

// integrationEnd is above every key of the integration in the keyspace.
func integrationEnd(space byte, integration string) []byte {
	key := integrationKey(space, integration)
	key[len(key)-1] = sep + 1
	return key
}

func dedupeKey(integration string, hash []byte) []byte {
	return append(integrationKey(spaceDedupe, integration), hash...)
}

func dedupeHash(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

func openKey(id uint64) []byte { return binary.BigEndian.AppendUint64([]byte{spaceOpen}, id) }

func endedKey(end time.Duration, id uint64) []byte {
	key := binary.BigEndian.AppendUint64([]byte{spaceEnded}, uint64(max(0, end))) //nolint:gosec // not negative
	return binary.BigEndian.AppendUint64(key, id)
}

func parseEndedKey(key []byte) time.Duration {
	return time.Duration(binary.BigEndian.Uint64(key[1:])) //nolint:gosec // written by endedKey
}

func tallyKey(integration string) []byte { return append([]byte{spaceTally}, integration...) }

// dueKey orders by time, in milliseconds, rounded up so that nothing is due too early.
func dueKey(at time.Time, ref backlog.Ref) []byte {
	key := binary.BigEndian.AppendUint64([]byte{spaceDue}, dueMillis(at))
	return append(key, refKey(spaceDue, ref)[1:]...)
}

func dueMillis(at time.Time) uint64 {
	return uint64(max(0, at.Add(time.Millisecond-1).UnixMilli())) //nolint:gosec // not negative
}

func parseDueKey(key []byte) (at time.Time, ref backlog.Ref, err error) {
	const head = 1 + 8
	if len(key) > head {
		if integration, id, found := bytes.Cut(key[head:], []byte{sep}); found {
			at = time.UnixMilli(int64(binary.BigEndian.Uint64(key[1:head]))) //nolint:gosec // written by dueMillis
			return at, backlog.Ref{Integration: string(integration), ID: call.ID(id)}, nil
		}
	}
	return time.Time{}, backlog.Ref{}, fmt.Errorf("the store holds a malformed key %x", key)
}
