// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
)

// What is encrypted of a call is one value for its request and one for its answer: the headers as JSON with their length before them, then the body. It is bound to
// its key in the store, and so to the integration and the call.

var errContents = errors.New("the store holds malformed contents")

func joinContents(header http.Header, body []byte) ([]byte, error) {
	encoded, err := json.Marshal(header)
	if err != nil {
		return nil, err
	}
	joined := make([]byte, 0, binary.MaxVarintLen32+len(encoded)+len(body))
	joined = binary.AppendUvarint(joined, uint64(len(encoded)))
	return append(append(joined, encoded...), body...), nil
}

func splitContents(joined []byte) (header http.Header, body []byte, err error) {
	length, size := binary.Uvarint(joined)
	if size <= 0 || length > uint64(len(joined)-size) { //nolint:gosec // not negative
		return nil, nil, errContents
	}
	joined = joined[size:]
	if err := json.Unmarshal(joined[:length], &header); err != nil {
		return nil, nil, errContents
	}
	return header, joined[length:], nil
}

// sealContents writes the contents of a call, encrypted.
func sealContents(w *writer, place []byte, key *sealing.Key, header http.Header, body []byte) {
	joined, err := joinContents(header, body)
	w.keep(err)
	w.set(place, key.Seal(joined, place))
}

// request returns what a call sends.
func (s *Store) request(ref backlog.Ref, r *record) (http.Header, []byte, error) {
	return s.contents(ref, r, refKey(spaceBody, ref), r.Header)
}

// answer returns what the CRM has answered; nothing if it is erased.
func (s *Store) answer(ref backlog.Ref, r *record) (http.Header, []byte, error) {
	header, body, err := s.contents(ref, r, refKey(spaceAnswer, ref), r.Answer.Header)
	if errors.Is(err, pebble.ErrNotFound) {
		err = nil
	}
	return header, body, err
}

// contents reads what lies at a place. Of a call that is not encrypted the headers are in its record.
func (s *Store) contents(ref backlog.Ref, r *record, place []byte, header http.Header) (http.Header, []byte, error) {
	if r.Key == "" {
		body, err := s.get(place)
		return header, body, err
	}
	key, err := s.dataKey(ref.Integration, r.Key)
	if err != nil {
		return nil, nil, err
	}
	sealed, err := s.get(place)
	if err != nil {
		return nil, nil, err
	}
	joined, err := key.Open(sealed, place)
	if err != nil {
		return nil, nil, err
	}
	return splitContents(joined)
}

// sealAnswer has an answer stored encrypted, and leaves its status in the record, and whether it was composed. Of a call that is erased nothing but that is kept.
func (s *Store) sealAnswer(w *writer, ref backlog.Ref, r *record, a *backlog.Answer) {
	r.Answer = &backlog.Answer{Status: a.Status, Composed: a.Composed}
	key, err := s.dataKey(ref.Integration, r.Key)
	if errors.Is(err, backlog.ErrErased) {
		return
	}
	w.keep(err)
	if err == nil {
		sealContents(w, refKey(spaceAnswer, ref), key, a.Header, a.Body)
	}
}
