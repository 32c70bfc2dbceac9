// SPDX-License-Identifier: Apache-2.0

package dialect

import "net/http"

// Batch is how single calls of one operation become one bulk call. Its methods are pure and safe for concurrent use.
type Batch interface {
	// Size is between how many calls a bulk call is worth its while, and how many it takes at most.
	Size() (least, most int)
	// Bulk is the bulk call without header and body, as it is priced.
	Bulk() Request
	// Merge completes the bulk call. mark is a name of ours for it, of letters, digits and hyphens, by which a FoundBatch finds its items again. in has, for each item
	// in order, the place of its call among the members: those that cannot be merged, for instance because their bodies are not of the usual form, are left out.
	// What is read later goes by items, but for ReadFound.
	Merge(mark string, members []Request) (bulk Request, in []int)
	// Split reads the CRM's good answer to a bulk call of n items.
	Split(status int, body []byte, n int) Split
}

// JobBatch is a Batch whose items are worked off after the answer, by a job.
type JobBatch interface {
	Batch
	// Polled is how many jobs one Poll asks about.
	Polled() int
	// Poll asks for the state of all these jobs at once.
	Poll(jobs []string) Request
	// ReadJob reads what a good answer to Poll says of one job with n items: what became of each, or pending, that it has not ended. What it does not say of an
	// item stays unknown; so does everything about a job that the CRM no longer knows.
	ReadJob(job string, body []byte, n int) (items []Item, pending bool)
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
	// Answer is what the CRM would have answered to the single call, as far as the bulk call's answer tells.
	Answer *Response
	// Failed: it surely had no effect.
	Failed bool
}
