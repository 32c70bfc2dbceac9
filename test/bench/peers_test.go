// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/test/debian"
	"github.com/crmquota/crm-quota-operator/test/ports"
)

// A peer in Go is this test's own binary, so that every contender is a process beside the client's.
const (
	peerAddress = "BENCH_PEER_ADDRESS"
	// peerTarget is where a peer passes requests on to; one without answers them itself, with nothing.
	peerTarget = "BENCH_PEER_TARGET"
	// peerJournal is a file that has each request's body before anything else is done with it; none is written without one.
	peerJournal = "BENCH_PEER_JOURNAL"
)

// servePeer is what such a process does.
func servePeer(address, target, journal string) error {
	handler := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	if target != "" {
		to, err := url.Parse(target)
		if err != nil {
			return err
		}
		// The two settings without which it is half as fast: connections are kept, buffers are used again.
		handler = &httputil.ReverseProxy{
			Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(to) },
			Transport:  &http.Transport{MaxIdleConnsPerHost: 64},
			BufferPool: &bufferPool{},
		}
	}
	if journal != "" {
		j, err := openJournal(journal)
		if err != nil {
			return err
		}
		handler = j.before(handler)
	}
	return (&http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: time.Minute}).ListenAndServe()
}

type bufferPool struct{ sync.Pool }

func (p *bufferPool) Get() []byte {
	if b, ok := p.Pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 32<<10)
}

func (p *bufferPool) Put(b []byte) { p.Pool.Put(&b) }

// contender is a server that runs.
type contender struct {
	url string
	pid int
}

// startGo runs this binary as a peer.
func startGo(b *testing.B, target string) (contender, error) {
	b.Helper()
	return startPeer(b, target, ""), nil
}

// startJournal runs this binary as a peer that keeps a journal.
func startJournal(b *testing.B, target string) (contender, error) {
	b.Helper()
	return startPeer(b, target, filepath.Join(b.TempDir(), "journal")), nil
}

func startPeer(b *testing.B, target, journal string) contender {
	b.Helper()
	address := ports.Free(b)
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	return startServer(b, address, []string{peerAddress + "=" + address, peerTarget + "=" + target, peerJournal + "=" + journal}, self)
}

// startNginx runs Debian's nginx as a proxy that keeps connections, with two workers.
func startNginx(b *testing.B, target string) (contender, error) {
	b.Helper()
	where, err := debian.Need{Program: "/usr/sbin/nginx", Package: "nginx-light"}.Find(b.Context())
	if err != nil {
		return contender{}, err
	}
	dir, address := b.TempDir(), ports.Free(b)
	return startServer(b, address, where.Environment, where.Program, "-p", dir, "-e", filepath.Join(dir, "start.log"), "-c",
		writeConfig(b, dir, fmt.Sprintf(`daemon off;
worker_processes 2;
pid %[1]s/pid;
error_log %[1]s/error.log crit;
events { worker_connections 2000; }
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  keepalive_requests 10000000;
  upstream crm { server %[3]s; keepalive 64; }
  server {
    listen %[2]s;
    location / { proxy_pass http://crm; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`, dir, address, strings.TrimPrefix(target, "http://")))), nil
}

// startHAProxy runs Debian's HAProxy as a proxy that counts requests in a stick table, with two threads.
func startHAProxy(b *testing.B, target string) (contender, error) {
	b.Helper()
	where, err := debian.Need{Program: "/usr/sbin/haproxy", Package: "haproxy"}.Find(b.Context())
	if err != nil {
		return contender{}, err
	}
	dir, address := b.TempDir(), ports.Free(b)
	return startServer(b, address, where.Environment, where.Program, "-db", "-f", writeConfig(b, dir, fmt.Sprintf(`global
  maxconn 2000
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend intake
  bind %s
  stick-table type string len 64 size 1k expire 10m store http_req_rate(60s)
  http-request track-sc0 req.hdr(Authorization)
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000000 }
  default_backend crm
backend crm
  http-reuse always
  server crm %s
`, address, strings.TrimPrefix(target, "http://")))), nil
}

func writeConfig(b *testing.B, dir, text string) string {
	b.Helper()
	path := filepath.Join(dir, "peer.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// startServer runs a server until the benchmark ends, and returns once it answers.
func startServer(b *testing.B, address string, environment []string, argv ...string) contender {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // this binary, or a program that was looked for by name
	command.Env = append(os.Environ(), environment...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 5 * time.Second
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stop()
		_ = command.Wait() // it was told to end
	})
	c := contender{"http://" + address, command.Process.Pid}
	client := newClient(b)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		response, err := client.Get(c.url)
		if err == nil {
			_ = response.Body.Close()
			return c
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s does not answer: %v", argv[0], err)
		}
	}
}

// cpuTime is how long a process and its children have computed.
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	const ticksPerSecond = 100 // the kernel's USER_HZ, the same on all architectures that Go runs on
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	// The name, in parentheses, may hold spaces; utime and stime are the 12th and 13th fields after it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	sum := time.Duration(ticks) * time.Second / ticksPerSecond
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", pid))
	if err != nil {
		b.Fatal(err)
	}
	for child := range strings.FieldsSeq(string(children)) {
		n, err := strconv.Atoi(child)
		if err != nil {
			b.Fatal(err)
		}
		sum += cpuTime(b, n)
	}
	return sum
}
