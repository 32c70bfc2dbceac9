// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// record is all that is known of an acknowledged call but the bodies. It is stored as JSON: a newer version may add members.
type record struct {
	State      call.State       `json:"state"`
	Reason     string           `json:"reason,omitempty"`
	Client     string           `json:"client,omitempty"`
	Operation  string           `json:"operation,omitempty"`
	Method     string           `json:"method"`
	Target     string           `json:"target"`
	Header     http.Header      `json:"header,omitempty"`
	Class      call.RepeatClass `json:"repeat,omitempty"`
	KeyValid   time.Duration    `json:"keyValidFor,omitempty"`
	AcceptedAt time.Time        `json:"acceptedAt"`
	Expires    time.Time        `json:"expires"`
	EndedAt    time.Time        `json:"endedAt,omitzero"`
	// Size of the body in bytes. Format 2 did not know it.
	Size int64 `json:"size,omitempty"`
	// Counts are the call's; earlier versions did not store them.
	Counts map[string]int64 `json:"counts,omitempty"`
	// Ordinal is how many calls the integration had handed in, this one included.
	Ordinal    int64  `json:"ordinal"`
	DedupeHash []byte `json:"dedupe,omitempty"`
	OrderKey   string `json:"orderKey,omitempty"`
	Urgency    int8   `json:"urgency,omitempty"`
	// References are the calls that it refers to, Awaits those of them that have not ended, while it is queued.
	References []call.ID `json:"references,omitempty"`
	Awaits     []call.ID `json:"awaits,omitempty"`
	// Callback is the call's, Callbacks how many were made.
	Callback  string `json:"callback,omitempty"`
	Callbacks int    `json:"callbacks,omitempty"`
	// Others: when it became ready last, there was no kind of its own for it.
	Others bool            `json:"others,omitempty"`
	Answer *backlog.Answer `json:"answer,omitempty"`
	// Key is the name of the data key that encrypts header, body and answer; empty if they are in clear text, the headers in this record.
	Key string `json:"key,omitempty"`
	// DueAt is the time in its key of spaceDue; zero while it has none.
	DueAt time.Time `json:"dueAt,omitzero"`
	backlog.Progress
}

func newRecord(e backlog.Entry, ordinal int64) *record {
	r := &record{
		State: call.StateQueued, Client: e.Call.Client, Operation: e.Call.Operation,
		Method: e.Call.Method, Target: e.Call.Target, Header: e.Call.Header,
		Class: e.Call.Repeat.Class, KeyValid: e.Call.Repeat.KeyValidFor,
		AcceptedAt: e.Call.AcceptedAt, Expires: e.Call.Expires, Ordinal: ordinal, DueAt: e.Call.Expires, OrderKey: e.Call.OrderKey, Size: int64(len(e.Call.Body)),
		Counts: e.Call.Counts, Urgency: e.Call.Urgency, References: e.Call.References,
		Callback: e.Call.Callback,
	}
	if e.DedupeKey != "" {
		r.DedupeHash = dedupeHash(e.DedupeKey)
	}
	return r
}

func (r *record) repeat() call.Repeat { return call.Repeat{Class: r.Class, KeyValidFor: r.KeyValid} }

// kind is the one under which the call is ready, or was last.
func (r *record) kind() backlog.Kind {
	if r.Others {
		return backlog.Others
	}
	return r.ownKind()
}

// ownKind is the one under which the call is ready if there is room for it.
func (r *record) ownKind() backlog.Kind {
	return backlog.KindOf(r.Operation, r.Method, r.Target).Urgent(r.Urgency)
}

func (r *record) head(id call.ID) backlog.Head {
	return backlog.Head{
		ID: id, Kind: r.kind(), Operation: r.Operation, Method: r.Method, Target: r.Target, Counts: r.Counts, Repeat: r.repeat(),
		AcceptedAt: r.AcceptedAt, Expires: r.Expires, Size: r.Size, Urgency: r.Urgency, Refers: len(r.References) > 0, Progress: r.Progress,
	}
}

// dedupe is what a client's key led to.
type dedupe struct {
	ID          call.ID `json:"id"`
	Fingerprint []byte  `json:"fingerprint"`
	// Key is the name of the data key that hides the fingerprint; empty if it is a plain hash.
	Key string `json:"key,omitempty"`
}

func ended(s call.State) bool {
	return s == call.StateSucceeded || s == call.StateFailed || s == call.StateDead
}

func encodeTally(t backlog.Tally) []byte {
	var buf []byte
	for _, n := range t.Members() {
		buf = binary.AppendVarint(buf, *n)
	}
	return buf
}

// decodeTally reads a tally. Members that an older version did not write are 0.
func decodeTally(buf []byte) (backlog.Tally, error) {
	var t backlog.Tally
	for _, member := range t.Members() {
		if len(buf) == 0 {
			break
		}
		n, size := binary.Varint(buf)
		if size <= 0 {
			return t, errors.New("the store holds a malformed tally")
		}
		*member, buf = n, buf[size:]
	}
	return t, nil
}

// tallyMerger lets many writers add to one tally without reading it.
var tallyMerger = &pebble.Merger{
	Name: "crmquota.tally.1",
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		t, err := decodeTally(value)
		return &tallySum{t}, err
	},
}

type tallySum struct{ backlog.Tally }

func (s *tallySum) MergeNewer(value []byte) error {
	t, err := decodeTally(value)
	s.Add(t)
	return err
}

func (s *tallySum) MergeOlder(value []byte) error { return s.MergeNewer(value) }

func (s *tallySum) Finish(bool) ([]byte, io.Closer, error) { return encodeTally(s.Tally), nil, nil }
