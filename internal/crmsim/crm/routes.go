// SPDX-License-Identifier: Apache-2.0

package crm

import "strings"

// Route is an endpoint of an API. In its pattern a name in braces stands for any one segment, or for what stands in one before or inside round brackets; {id} is the
// record.
type Route struct {
	Method    string
	Pattern   string
	Operation string
	Run       func(*Call) Reply
}

// Routes are tried in order: fixed names stand before names in braces.
type Routes []compiled

type compiled struct {
	Route
	segments []string
}

// Compile makes routes ready to be found.
func Compile(routes ...Route) Routes {
	all := make(Routes, len(routes))
	for i, r := range routes {
		all[i] = compiled{r, strings.Split(r.Pattern, "/")}
	}
	return all
}

// Unknown is the operation of requests that no route is for.
const Unknown = "Unknown"

// Find returns the endpoint of a request; one called Unknown that answers by unknown if there is none.
func (all Routes) Find(method, path string, unknown func(*Call) Reply) Endpoint {
	segments := strings.Split(path, "/")
	for _, r := range all {
		if r.Method != method || len(r.segments) != len(segments) {
			continue
		}
		e := Endpoint{Operation: r.Operation, Run: r.Run}
		if e.matchAll(r.segments, segments) {
			return e
		}
	}
	return Endpoint{Operation: Unknown, Run: unknown}
}

func (e *Endpoint) matchAll(patterns, segments []string) bool {
	for i, pattern := range patterns {
		if !e.match(pattern, segments[i]) {
			return false
		}
	}
	return true
}

func (e *Endpoint) match(pattern, segment string) bool {
	if before, inside, found := strings.Cut(strings.TrimSuffix(pattern, ")"), "("); found {
		name, value, has := strings.Cut(strings.TrimSuffix(segment, ")"), "(")
		return has && strings.HasSuffix(segment, ")") && e.match(before, name) && e.match(inside, value)
	}
	if !strings.HasPrefix(pattern, "{") {
		return pattern == segment
	}
	switch name := strings.Trim(pattern, "{}"); name {
	case "id":
		e.Record = segment
	default:
		if e.Vars == nil {
			e.Vars = map[string]string{}
		}
		e.Vars[name] = segment
	}
	return true
}
