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
	spaceReady  = 'k' // integration, kind, id -> nothing; one for each queued call that nothing but the limits holds back
	spaceTurn   = 'h' // integration, hash of ordering key -> turn; one for each key of calls that are queued, sent or parked
	spaceLine   = 'g' // integration, hash of ordering key, id -> nothing; one for each queued call whose turn it is not
	spaceState  = 'p' // integration, state, id -> nothing; one for each call that is parked or dead
	spaceBody   = 'b' // ref -> the request's body, until the call succeeds, fails or is forgotten
	spaceAnswer = 'r' // ref -> the answer's body
	spaceDue    = 'x' // time, ref -> nothing; one for each call that is not sent
	spaceDedupe = 'd' // integration, hash of key -> dedupe
	spaceOpen   = 'o' // id -> charge
	spaceEnded  = 'l' // end, id -> charge
	spaceTally  = 'n' // integration -> tally, by merging
	spaceAwait  = 'a' // integration, id, id of a queued call that waits for it -> nothing
	spaceBulk   = 'u' // id of its charge -> bulk; one for each bulk call that has members
	spaceTell   = 'c' // integration, endpoint, time, id, number -> callback; one for each that waits
)

// spaceQueue was, up to format 2: ref -> nothing; one for each queued call.
const spaceQueue = 'q'

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

// parseRefKey reads a key that refKey made.
func parseRefKey(key []byte) (backlog.Ref, error) {
	if integration, id, found := bytes.Cut(key[1:], []byte{sep}); found {
		return backlog.Ref{Integration: string(integration), ID: call.ID(id)}, nil
	}
	return backlog.Ref{}, malformed(key)
}

func malformed(key []byte) error { return fmt.Errorf("the store holds a malformed key %x", key) }

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

func kindKey(integration string, kind backlog.Kind) []byte {
	return binary.BigEndian.AppendUint64(integrationKey(spaceReady, integration), uint64(kind))
}

func readyKey(ref backlog.Ref, kind backlog.Kind) []byte {
	return append(kindKey(ref.Integration, kind), ref.ID...)
}

// parseReadyKey reads a key of the integration in spaceReady.
func parseReadyKey(integration string, key []byte) (backlog.Kind, call.ID, error) {
	at := len(integration) + 2
	if len(key) < at+8 {
		return 0, "", malformed(key)
	}
	return backlog.Kind(binary.BigEndian.Uint64(key[at:])), call.ID(key[at+8:]), nil
}

// orderHash is of fixed length, so that keys of spaceLine can be told apart.
func orderHash(key string) []byte { return dedupeHash(key)[:16] }

func turnKey(integration, orderKey string) []byte {
	return append(integrationKey(spaceTurn, integration), orderHash(orderKey)...)
}

// lineKey is where the call stands in line for its turn; with an empty ID, before all others.
func lineKey(ref backlog.Ref, orderKey string) []byte {
	return append(append(integrationKey(spaceLine, ref.Integration), orderHash(orderKey)...), ref.ID...)
}

// lineEnd is above every ID in the line: IDs are of letters and digits.
func lineEnd(integration, orderKey string) []byte {
	return lineKey(backlog.Ref{Integration: integration, ID: "~"}, orderKey)
}

// awaitKey is for the call that waits for another one; with an empty ID it is before all others that wait for it.
func awaitKey(other backlog.Ref, waits call.ID) []byte {
	return append(append(refKey(spaceAwait, other), sep), waits...)
}

func stateKey(state call.State, ref backlog.Ref) []byte {
	key := append(integrationKey(spaceState, ref.Integration), state...)
	return append(append(key, sep), ref.ID...)
}

// listed says whether calls in a state can be listed.
func listed(state call.State) bool { return state == call.StateParked || state == call.StateDead }

func dedupeKey(integration string, hash []byte) []byte {
	return append(integrationKey(spaceDedupe, integration), hash...)
}

func dedupeHash(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

func openKey(id uint64) []byte { return binary.BigEndian.AppendUint64([]byte{spaceOpen}, id) }

func bulkKey(id uint64) []byte { return binary.BigEndian.AppendUint64([]byte{spaceBulk}, id) }

func endedKey(end time.Duration, id uint64) []byte {
	key := binary.BigEndian.AppendUint64([]byte{spaceEnded}, uint64(max(0, end))) //nolint:gosec // not negative
	return binary.BigEndian.AppendUint64(key, id)
}

func parseEndedKey(key []byte) (time.Duration, error) {
	if len(key) != 1+8+8 {
		return 0, malformed(key)
	}
	return time.Duration(binary.BigEndian.Uint64(key[1:])), nil //nolint:gosec // written by endedKey
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
		at = time.UnixMilli(int64(binary.BigEndian.Uint64(key[1:head]))) //nolint:gosec // written by dueMillis
		ref, err = parseRefKey(key[head-1:])
		return at, ref, err
	}
	return at, ref, malformed(key)
}
