// SPDX-License-Identifier: Apache-2.0

package limit

import "strings"

// Call is what a limit may ask of a call.
type Call struct {
	Method, Path, Operation string
	// Record is the id in the path of the operation, if there is one.
	Record string
	// Credential is the e-mail address of a basic credential.
	Credential string
	// Weight is how often the call counts; 0 means once.
	Weight int
}

// Match selects calls. Empty fields select all.
type Match struct {
	// Operation is one operation ("UpdateTicket").
	Operation string
	// Method and Path select by the request. In Path "*" stands for one segment and "**" at the end for any number of them; ".json" at the end of a path
	// is not looked at.
	Method, Path string
	// Credential is one credential.
	Credential string
}

// Narrowed reports whether the match selects only some calls.
func (m Match) Narrowed() bool { return m != Match{} }

// Applies reports whether a call counts against l.
func (l Limit) Applies(c Call) bool {
	if l.Operation != "" && l.Operation != c.Operation || l.Method != "" && l.Method != c.Method || l.Credential != "" && l.Credential != c.Credential {
		return false
	}
	if l.Path != "" {
		if _, ok := matchPath(l.Path, c.Path); !ok {
			return false
		}
	}
	return l.Per != PerRecord || l.recordOf(c) != ""
}

// CountOf names the count that a call belongs to; it is empty where all calls count together.
func (l Limit) CountOf(c Call) string {
	switch l.Per {
	case PerRecord:
		return l.recordOf(c)
	case PerCredential:
		return c.Credential
	default:
		return ""
	}
}

// UnitsOf is what a call takes.
func (l Limit) UnitsOf(c Call) int {
	units := 1
	for _, cost := range l.Costs {
		if cost.Operation == c.Operation {
			units = cost.Units
			break
		}
	}
	return units * max(c.Weight, 1)
}

// recordOf is what the last "*" of the path stands for, or, where there is none, the record of the operation.
func (l Limit) recordOf(c Call) string {
	if l.Path == "" {
		return c.Record
	}
	record, _ := matchPath(l.Path, c.Path)
	return record
}

// matchPath reports whether the path is one of the pattern's, and what the last "*" stands for.
func matchPath(pattern, path string) (last string, ok bool) {
	wants := strings.Split(strings.TrimSuffix(pattern, ".json"), "/")
	segments := strings.Split(strings.TrimSuffix(path, ".json"), "/")
	if wants[len(wants)-1] == "**" {
		wants = wants[:len(wants)-1]
		segments = segments[:min(len(segments), len(wants))]
	}
	if len(wants) != len(segments) {
		return "", false
	}
	for i, want := range wants {
		switch {
		case want == "*" && segments[i] != "":
			last = segments[i]
		case want != segments[i]:
			return "", false
		}
	}
	return last, true
}
