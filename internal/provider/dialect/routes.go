// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Route is where the calls of a named operation go.
type Route struct {
	// Name of the operation.
	Name   string
	Method string
	// Pattern is one of path.Match, of paths in canonical form.
	Pattern string
	// Repeatable operations have no further effect when they are sent again, though their method does not say so.
	Repeatable bool
}

// Routes are a CRM's operations in order of name; one can have more than one. A path that is itself the pattern of one is that one's, else it matches at most one
// of each method.
type Routes []Route

// Operations are what manifests can name.
func (r Routes) Operations() []Operation {
	named := make([]Operation, len(r))
	for i, of := range r {
		named[i] = Operation{Name: of.Name, Safe: SafeMethod(of.Method), Method: of.Method, Path: anyOf.Replace(of.Pattern)}
	}
	return slices.CompactFunc(named, func(a, b Operation) bool { return a.Name == b.Name })
}

// anyOf makes a path of a pattern.
var anyOf = strings.NewReplacer("[0-9]*", "1", "[12]", "1", "*", "1")

// Find returns the route of a call; its zero value if the call has no name. path is in canonical form.
func (r Routes) Find(method, requestPath string) Route {
	var found Route
	for _, of := range r {
		if of.Method != method {
			continue
		}
		if of.Pattern == requestPath {
			return of
		}
		if matches, _ := path.Match(of.Pattern, requestPath); matches {
			found = of
		}
	}
	return found
}

// Classify names a call, and tells by method and route what repeating it does. path is in canonical form.
func (r Routes) Classify(method, requestPath string) Class {
	of := r.Find(method, requestPath)
	return Class{Operation: of.Name, Idempotent: of.Repeatable || IdempotentMethod(method)}
}

// Sorted puts routes that are made for many kinds of records in order.
func Sorted(routes Routes) Routes {
	slices.SortStableFunc(routes, func(a, b Route) int { return cmp.Compare(a.Name, b.Name) })
	return routes
}

// TrimSlash leaves out a slash at the end of a path.
func TrimSlash(requestPath string) string { return strings.TrimSuffix(requestPath, "/") }

// OneVersion gives a path whose segment of that depth is an API's version, such as v59.0, the version "v": all versions are one API. "*" is in patterns what may
// be any version. The segment after the first slash has depth 1.
func OneVersion(requestPath string, depth int) string {
	segments := strings.Split(TrimSlash(requestPath), "/")
	if depth < len(segments) && (segments[depth] == "*" || IsVersion(segments[depth])) {
		segments[depth] = "v"
	}
	return strings.Join(segments, "/")
}

// IsVersion says whether a segment is "v" with digits and dots.
func IsVersion(segment string) bool {
	digits, is := strings.CutPrefix(segment, "v")
	return is && digits != "" && strings.Trim(digits, "0123456789.") == ""
}
