// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// write is one write of the manager, as the API server's audit log has it.
type write struct{ Verb, Resource, Name string }

// audit reads the API server's audit log: $AUDIT_LOG, or the local cluster's. Leader election writes in the operator's own namespace only.
type audit struct {
	path string
	// namespace that is counted: other tests run beside.
	namespace string
	offset    int64
}

func newAudit(t *testing.T, namespace string) *audit {
	t.Helper()
	path := os.Getenv("AUDIT_LOG")
	if path == "" {
		path = filepath.Join(root, "bin/cluster/logs/audit.log")
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("writes are counted from the API server's audit log; set AUDIT_LOG to its file: %v", err)
	}
	return &audit{path: path, namespace: namespace}
}

// mark makes writes count from now on.
func (a *audit) mark(t *testing.T) {
	t.Helper()
	info, err := os.Stat(a.path)
	if err != nil {
		t.Fatal(err)
	}
	a.offset = info.Size()
}

// writes returns the manager's completed writes in the namespace since the mark.
func (a *audit) writes(t *testing.T) []write {
	t.Helper()
	time.Sleep(2 * time.Second) // the log is written behind
	file, err := os.Open(a.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	if _, err := file.Seek(a.offset, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var found []write
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			Stage     string
			Verb      string
			User      struct{ Username string }
			ObjectRef struct{ Resource, Subresource, Namespace, Name string }
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Stage != "ResponseComplete" || event.User.Username != managerUser {
			continue
		}
		switch event.Verb {
		case "create", "update", "patch", "delete", "deletecollection":
		default:
			continue
		}
		ref := event.ObjectRef
		if ref.Namespace != a.namespace {
			continue
		}
		resource := ref.Resource
		if ref.Subresource != "" {
			resource += "/" + ref.Subresource
		}
		found = append(found, write{event.Verb, resource, ref.Name})
	}
	return found
}

func perObject(writes []write) map[write]int {
	counts := map[write]int{}
	for _, w := range writes {
		counts[w]++
	}
	return counts
}
