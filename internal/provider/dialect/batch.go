// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"encoding/json"
	"net/http"
)

// Batch is how single calls of one operation become one bulk call. Its methods are pure and safe for concurrent use.
type Batch interface {
	// Size is between how many calls a bulk call is worth its while, and how many it takes at most.
	Size() (least, most int)
	// Bulk is the bulk call without header and body, as it is priced.
	Bulk() Request
	// List is the name of the array of the bulk call's body that holds the items, see Counts.
	List() string
	// Merge completes the bulk call. mark is a name of ours for it, of letters, digits and hyphens, by which a FoundBatch finds its items again. in has, for each item
	// in order, the place of its call among the members: those that cannot be merged, for instance because their bodies are not of the usual form, are left out.
	// What is read later goes by items, but for ReadFound.
	Merge(mark string, members []Request) (bulk Request, in []int)
	// Split reads the CRM's good answer to a bulk call. of are the calls of its items, without headers and bodies.
	Split(status int, body []byte, of []Request) Split
}

// RecordBatch is a Batch whose items change records that are there: each item one of its own.
type RecordBatch interface {
	Batch
	// Record names what a call changes, by its target alone, the same way for all calls that change the same; empty if that cannot be told, and then the call does
	// not go with others. Merge takes one call of each record.
	Record(target string) string
	// Fold makes one update of two of the same record, so that the CRM holds after it what it would after the first and then the second; ok is false if that cannot be
	// said of what they set. What happens in the CRM because of an update, it does once then.
	Fold(first, second Request) (both Request, ok bool)
}

// MixedBatch is a Batch whose items are calls of any of several operations, each with an answer of its own. They take effect in their order.
type MixedBatch interface {
	Batch
	// Takes says whether a call may be an item, as far as its method and target tell.
	Takes(call Request) bool
	// Record names what a call changes that is there, by its method and target alone, the same way for all calls that change the same; empty if it changes nothing
	// that later changes could be undone by.
	Record(call Request) string
}

// FoldFields puts fields of a later update over those of an earlier one, where all are plain: text, numbers, true, false or null, each of which takes the place of what
// was there. ok is false if there are others.
func FoldFields(first, second map[string]json.RawMessage) (both map[string]json.RawMessage, ok bool) {
	both = make(map[string]json.RawMessage, len(first)+len(second))
	for _, fields := range []map[string]json.RawMessage{first, second} {
		for name, value := range fields {
			var v any
			if json.Unmarshal(value, &v) != nil {
				return nil, false
			}
			switch v.(type) {
			case map[string]any, []any:
				return nil, false
			}
			both[name] = value
		}
	}
	return both, true
}

// JobBatch is a Batch whose items are worked off after the answer, by a job.
type JobBatch interface {
	Batch
	// Polled is how many jobs one Poll asks about.
	Polled() int
	// Poll asks for the state of all these jobs at once.
	Poll(jobs []string) Request
	// ReadJob reads what a good answer to Poll says of one job: what became of each item, or pending, that it has not ended. of are the calls of its items, as for
	// Split. What it does not say of an item stays unknown; so does everything about a job that the CRM no longer knows.
	ReadJob(job string, body []byte, of []Request) (items []Item, pending bool)
}

// FoundBatch is a Batch whose items can be found in the CRM by the bulk call's mark, when the answer was lost.
type FoundBatch interface {
	Batch
	// Find asks for the items.
	Find(mark string) Request
	// ReadFound reads which of n members a good answer to Find shows, by their places; the others stay unknown. ok is false if the answer cannot be read: it says
	// nothing then.
	ReadFound(mark string, body []byte, n int) (members []Item, ok bool)
}

// UnconfirmedBatch is a Batch that relies on what the vendor does not document whole. Its calls are merged only where a manifest names the operation.
type UnconfirmedBatch interface {
	Batch
	// Unconfirmed does nothing.
	Unconfirmed()
}

// SeparateBatch is a Batch whose items take effect one by one: what is wrong with one takes nothing from the others. Only in such do calls of several integrations go
// together.
type SeparateBatch interface {
	Batch
	// Separate does nothing.
	Separate()
}

// Request is a call as an adapter sees it.
type Request struct {
	Operation, Method, Target string
	Header                    http.Header
	Body                      []byte
}

// Split is what the answer to a bulk call tells.
type Split struct {
	// Job is the CRM's name for the job that works the items off; empty if there is none.
	Job string
	// Items, without a job: what became of each.
	Items []Item
}

// Item is what became of one item of a bulk call. Zero, that is not known.
type Item struct {
	// Answer is what the CRM would have answered to the single call, as far as the bulk call's answer tells. It can be one that the call has failed.
	Answer *Response
	// Failed: it surely had no effect, and is to be sent by itself.
	Failed bool
}
