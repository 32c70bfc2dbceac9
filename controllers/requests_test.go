// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// requests are what a manager asked of the API server.
type requests struct {
	mu sync.Mutex
	// written are those that change something, as "PATCH crms/zendesk/status", by namespace.
	written map[string][]string
	// rights that they took, as "patch crmquota.dev/crms/status".
	rights map[string]bool
}

func newRequests() *requests {
	return &requests{written: make(map[string][]string), rights: make(map[string]bool)}
}

// writesIn returns the writes in a namespace so far.
func (r *requests) writesIn(namespace string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.written[namespace])
}

func (r *requests) usedRights() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.rights)
}

// wrap records what passes a transport.
func (r *requests) wrap(next http.RoundTripper) http.RoundTripper { return recorder{next, r} }

type recorder struct {
	next     http.RoundTripper
	requests *requests
}

func (r recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err == nil {
		r.requests.record(request, response.StatusCode == http.StatusCreated)
	}
	return response, err
}

func (r *requests) record(request *http.Request, created bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	group, path, ok := groupOf(request.URL.Path)
	if !ok {
		r.rights["get "+request.URL.Path] = true
		return
	}
	if rest, namespaced := strings.CutPrefix(path, "namespaces/"); namespaced && strings.Contains(rest, "/") {
		var namespace string
		namespace, path, _ = strings.Cut(rest, "/")
		if request.Method != http.MethodGet {
			r.written[namespace] = append(r.written[namespace], request.Method+" "+path)
		}
	}
	resource, name, _ := strings.Cut(path, "/")
	name, subresource, _ := strings.Cut(name, "/")
	right := " " + group + "/" + resource
	if subresource != "" {
		right += "/" + subresource
	}
	for _, verb := range verbsOf(request, name, created) {
		r.rights[verb+right] = true
	}
}

// groupOf splits the path of a request for objects into the API group, "" for the core, and the rest behind the version.
func groupOf(path string) (group, rest string, ok bool) {
	switch parts := strings.SplitN(strings.Trim(path, "/"), "/", 4); {
	case parts[0] == "api" && len(parts) > 2:
		return "", strings.Join(parts[2:], "/"), true
	case parts[0] == "apis" && len(parts) > 3:
		return parts[1], parts[3], true
	}
	return "", "", false
}

// verbsOf are the rights that a request takes. A watch that begins with the present objects stands for list, too; an apply that makes an object takes create.
func verbsOf(request *http.Request, name string, created bool) []string {
	switch request.Method {
	case http.MethodGet:
		if name != "" {
			return []string{"get"}
		}
		return []string{"list", "watch"}
	case http.MethodPost:
		return []string{"create"}
	case http.MethodPatch:
		if created {
			return []string{"patch", "create"}
		}
		return []string{"patch"}
	default:
		return []string{strings.ToLower(request.Method)}
	}
}
