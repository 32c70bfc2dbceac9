// SPDX-License-Identifier: Apache-2.0

package backlog

import (
	"hash/fnv"
	"strings"
)

// Kind groups queued calls that are likely to take the same of the limits, so that those of one kind do not hide those of another. It is chosen when a call
// becomes ready, and knows nothing of plans: they change while calls wait.
type Kind uint64

// Others is the kind of calls for which there is none of their own: MaxKinds-1 others have ready calls.
const Others Kind = 0

// MaxKinds bounds an integration's kinds that have ready calls, Others included.
const MaxKinds = 32

// Urgent is the kind of calls that are like those of k, but of another urgency than the ordinary one: many ordinary ones must not hide an urgent one.
func (k Kind) Urgent(urgency int8) Kind {
	switch {
	case urgency < 0:
		k ^= 1 << 62
	case urgency > 0:
		k ^= 1 << 61
	}
	return max(Others+1, k)
}

// KindOf is the kind of a call's own: its operation, or if it has none, its method and the shape of its path, in which segments with a digit stand for any.
func KindOf(operation, method, target string) Kind {
	hash := fnv.New64a()
	write := func(s string) { _, _ = hash.Write([]byte(s)) } // it never fails
	if operation != "" {
		write(operation)
		return max(Others+1, Kind(hash.Sum64()))
	}
	write(method)
	path, _, _ := strings.Cut(target, "?")
	for segment := range strings.SplitSeq(path, "/") {
		if strings.ContainsAny(segment, "0123456789") {
			segment = "*"
		}
		write("/")
		write(segment)
	}
	return max(Others+1, Kind(hash.Sum64()))
}
