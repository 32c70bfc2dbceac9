// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
)

// maxKey is the longest Idempotency-Key, in bytes.
const maxKey = 255

// replays remembers the first answer to each Idempotency-Key. Keys are the account's: two callers that use the same one meet.
type replays struct {
	validity time.Duration
	byKey    map[string]replay
	oldest   []string // keys in the order of their first use
}

type replay struct {
	first       time.Time
	fingerprint [sha256.Size]byte
	answer      crm.Reply
}

// run answers from memory, or executes the call and remembers its answer, be it good or bad.
func (m *replays) run(now time.Time, key string, body []byte, execute func() crm.Reply) crm.Reply {
	if len(key) > maxKey {
		return failure(http.StatusBadRequest, "IdempotentRequestError", "The idempotency key is longer than 255 characters")
	}
	m.expire(now)
	fingerprint := fingerprintOf(body)
	if known, found := m.byKey[key]; found {
		if known.fingerprint != fingerprint {
			return failure(http.StatusBadRequest, "IdempotentRequestError", "Request parameters don't match the given idempotency key")
		}
		return withLookup(known.answer, "hit")
	}
	answer := execute()
	if m.byKey == nil {
		m.byKey = map[string]replay{}
	}
	m.byKey[key] = replay{first: now, fingerprint: fingerprint, answer: answer}
	m.oldest = append(m.oldest, key)
	return withLookup(answer, "miss")
}

func (m *replays) expire(now time.Time) {
	for len(m.oldest) > 0 && now.Sub(m.byKey[m.oldest[0]].first) >= m.validity {
		delete(m.byKey, m.oldest[0])
		m.oldest = m.oldest[1:]
	}
}

// withLookup is a copy of the reply that says whether its key was known.
func withLookup(r crm.Reply, result string) crm.Reply {
	r.Header = r.Header.Clone()
	r.Header.Set("X-Idempotency-Lookup", result)
	return r
}

// fingerprintOf is the same for bodies that say the same: white space and the order of members do not matter.
func fingerprintOf(body []byte) [sha256.Size]byte {
	var parsed any
	if json.Unmarshal(body, &parsed) == nil {
		if canonical, err := json.Marshal(parsed); err == nil {
			body = canonical
		}
	}
	return sha256.Sum256(body)
}
