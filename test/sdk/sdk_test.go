// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seen is what a script tells.
type seen struct {
	Version  string
	Found    string
	Created  string
	Exported int
	// Refusal is what became of a call for which the limit had no room.
	Refusal string
	// Error and Names are of scripts that are not to succeed: what the package said, and which host names it looked up.
	Error string
	Names []string
}

// run runs a client's script against a base URL, or skips the test where what it needs is not there.
func run(t *testing.T, c client, d *dispatcher) (seen, error) {
	t.Helper()
	argv := commandOf(c)
	command := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	command.Env = append(os.Environ(), "URL="+d.url, "KEY="+clientKey, "PACKAGE="+c.node, "NODE_PATH="+os.Getenv("SDK_NODE_PATH"), "NO_PROXY=*", "no_proxy=*",
		// Each reads the certificates that it trusts from a variable of its own.
		"NODE_EXTRA_CA_CERTS="+d.roots, "REQUESTS_CA_BUNDLE="+d.roots, "SSL_CERT_FILE="+d.roots)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if command.ProcessState == nil || command.ProcessState.ExitCode() == isMissing {
		t.Log(errors.Join(err, errors.New(complaint.String())))
		unavailable(t, c.title)
	}
	if err != nil {
		return seen{}, errors.Join(err, errors.New(complaint.String()))
	}
	var s seen
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n")) // packages may print, too
	if err := json.Unmarshal(lines[len(lines)-1], &s); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s, nil
}

// node is the Node.js that comes with the packages, where there is one for this machine: some of them want a newer one than distributions have.
func node() string {
	arch := strings.Replace(runtime.GOARCH, "amd64", "x64", 1)
	packaged := filepath.Join(os.Getenv("SDK_NODE_PATH"), "node-linux-"+arch, "bin", "node")
	if _, err := os.Stat(packaged); err != nil {
		return "node"
	}
	return packaged
}

// isMissing is what a script ends with when its package cannot be loaded.
const isMissing = 3

// commandOf returns the command that runs a script.
func commandOf(c client) []string {
	switch filepath.Ext(c.script) {
	case ".py":
		return []string{"/usr/bin/python3", filepath.Join("debian", c.script)} // Debian's packages are there for its own interpreter
	case ".rb":
		return []string{"/usr/bin/ruby", filepath.Join("debian", c.script)}
	default:
		return []string{node(), filepath.Join("node", c.script)}
	}
}

func TestClientsComeThroughTheDispatcherOnly(t *testing.T) {
	for _, c := range switched {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			door, endpoint := open(t, c.start())
			d := front(t, door.crm, endpoint)
			got, err := run(t, c, d)
			if err != nil {
				t.Fatal(err)
			}
			want := door.want
			want.Refusal = c.refusal
			want.Version = c.version
			if c.node == "" && got.Version != c.version {
				t.Logf("version %s of the distribution, the table is about %s", got.Version, c.version)
				want.Version = got.Version
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			signed, strangers := door.arrived()
			if len(strangers) > 0 {
				t.Errorf("%d requests came round the dispatcher: %v", len(strangers), strangers)
			}
			if len(signed) != c.requests {
				t.Errorf("%d requests arrived, want %d: %s", len(signed), c.requests, strings.Join(signed, "\n"))
			}
			if sent := d.ask(t).Integrations[0].Counters.Dispatched; int(sent) != len(signed) {
				t.Errorf("the dispatcher says that it sent %d requests, %d arrived", sent, len(signed))
			}
			if door.sim != nil {
				judge(t, door, c.requests)
			}
		})
	}
}

// judge holds crmsim's own record against what is expected.
func judge(t *testing.T, d *door, requests int) {
	t.Helper()
	report := d.sim.Report()
	if got, want := report.ByCredential, map[string]int{crmUser: 250 + requests}; !cmp.Equal(got, want) {
		t.Errorf("requests by credential: %v, want %v", got, want)
	}
	if got := report.Tickets; got.Created != 251 || got.DuplicateCount != 0 {
		t.Errorf("tickets: %+v, want 251 and none twice", got)
	}
}

// A client that is led round the dispatcher must be seen, else the test above proves nothing. Here the CRM gives itself a name that the plan does not have, so links to
// it are left alone.
func TestALinkRoundTheDispatcherIsSeen(t *testing.T) {
	c := switched[slices.IndexFunc(switched, func(c client) bool { return c.name == "python-requests" })]
	behind := zendesk()
	trap, other := open(t, behind)
	renamed := behind
	renamed.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = other.Listener.Addr().String()
		behind.ServeHTTP(w, r)
	})
	door, endpoint := open(t, renamed)
	_, err := run(t, c, front(t, renamed, endpoint))
	if err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("the package ended with %v, want it refused", err)
	}
	signed, strangers := trap.arrived()
	if len(signed) != 0 || len(strangers) != 1 || !strings.Contains(strangers[0], "page=2") {
		t.Errorf("at the other name arrived %v and, with the client's own key, %v; want the second page there", signed, strangers)
	}
	if _, strangers := door.arrived(); len(strangers) != 0 {
		t.Errorf("at the name of the plan arrived %v", strangers)
	}
}

func TestWhatCannotBeSwitched(t *testing.T) {
	for _, c := range notSwitched {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			door, endpoint := open(t, c.start())
			d := front(t, door.crm, endpoint)
			got, err := run(t, c, d)
			if err != nil {
				t.Fatal(err)
			}
			switch c.name {
			case "zendesk-subdomain":
				if !slices.Equal(got.Names, []string{"acme.zendesk.com"}) {
					t.Errorf("it looked up %v, want the CRM's own name and no other", got.Names)
				}
			case "salesforce-login":
				if !strings.Contains(got.Error, "Unauthenticated") {
					t.Errorf("the login ended with %q, want the dispatcher's refusal", got.Error)
				}
			}
			if signed, strangers := door.arrived(); len(signed)+len(strangers) != c.requests {
				t.Errorf("%v and %v arrived", signed, strangers)
			}
		})
	}
}
