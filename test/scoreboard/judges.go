// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/test/debian"
	"github.com/crmquota/crm-quota-operator/test/ports"
)

// foreignJudge is a server with a rate limiter that nobody of this project wrote. GET /CALLS/SECONDS/KEY is answered 200, or 429 where it refuses.
type foreignJudge struct {
	name     string
	needs    debian.Need
	counting limits.Counting
	// burst of a limit, where the judge's counting has one.
	burst func(l licence) int
	// command returns what serves the licences on a port of the loopback; dir is a folder for its files.
	command func(where debian.Found, dir string, port int, ls []licence) (argv []string, err error)
}

//go:embed judges/movingwindow.py
var judgeFiles embed.FS

// foreignJudges are one for each way of counting.
var foreignJudges = []foreignJudge{
	{
		name: "Python limits, moving window", counting: limits.Exact,
		needs:   debian.Need{Program: "/usr/bin/python3", File: "/usr/lib/python3/dist-packages/limits", Package: "python3-limits"},
		burst:   func(licence) int { return 0 },
		command: pythonLimits,
	},
	{
		name: "HAProxy, http_req_rate", counting: limits.Approximate,
		needs:   debian.Need{Program: "/usr/sbin/haproxy", Package: "haproxy"},
		burst:   func(licence) int { return 0 },
		command: haproxy,
	},
	{
		name: "nginx, limit_req", counting: limits.TokenBucket,
		needs:   debian.Need{Program: "/usr/sbin/nginx", Package: "nginx-light"},
		burst:   func(l licence) int { return l.calls / 4 },
		command: nginx,
	},
}

func pythonLimits(where debian.Found, dir string, port int, _ []licence) ([]string, error) {
	script := filepath.Join(dir, "movingwindow.py")
	source, err := judgeFiles.ReadFile("judges/movingwindow.py")
	if err != nil {
		return nil, err
	}
	return []string{where.Program, script, fmt.Sprint(port)}, os.WriteFile(script, source, 0o600)
}

// haproxy refuses by the rate of all requests, refused ones too, in a table that estimates the last period from this one and the one before.
func haproxy(where debian.Found, dir string, port int, ls []licence) ([]string, error) {
	var tables, rules strings.Builder
	for i, l := range ls {
		fmt.Fprintf(&tables, "backend table%d\n  stick-table type string len 64 size 1k expire 10m store http_req_rate(%ds)\n", i, seconds(l))
		fmt.Fprintf(&rules, "  http-request track-sc0 path table table%d if { path_beg %s }\n", i, l.path())
		fmt.Fprintf(&rules, "  http-request deny deny_status 429 if { path_beg %s } { sc_http_req_rate(0) gt %d }\n", l.path(), l.calls)
	}
	text := fmt.Sprintf(`global
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
%sfrontend judge
  bind 127.0.0.1:%d
%s  http-request return status 200
`, tables.String(), port, rules.String())
	config := filepath.Join(dir, "haproxy.cfg")
	return []string{where.Program, "-db", "-f", config}, os.WriteFile(config, []byte(text), 0o600)
}

// nginx lets burst calls through at once and refills at the rate of the limit, by the millisecond.
func nginx(where debian.Found, dir string, port int, ls []licence) ([]string, error) {
	var zones, locations strings.Builder
	for i, l := range ls {
		perMinute := int(time.Duration(l.calls) * time.Minute / l.window)
		fmt.Fprintf(&zones, "  limit_req_zone $uri zone=zone%d:1m rate=%dr/m;\n", i, perMinute)
		// The call that finds the bucket full is let through besides the burst.
		fmt.Fprintf(&locations, "    location %s { limit_req zone=zone%d burst=%d nodelay; empty_gif; }\n", l.path(), i, l.calls/4-1)
	}
	text := fmt.Sprintf(`daemon off;
worker_processes 1;
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
  keepalive_requests 100000;
  limit_req_status 429;
%[3]s  server {
    listen 127.0.0.1:%[2]d;
%[4]s  }
}
`, dir, port, zones.String(), locations.String())
	config := filepath.Join(dir, "nginx.conf")
	return []string{where.Program, "-p", dir, "-c", config, "-e", filepath.Join(dir, "start.log")}, os.WriteFile(config, []byte(text), 0o600)
}

func seconds(l licence) int { return int(l.window / time.Second) }

// path is the prefix of the licence's calls.
func (l licence) path() string { return fmt.Sprintf("/%d/%d/", l.calls, seconds(l)) }

// start runs the judge until the context ends and returns its base URL once it answers.
func (j foreignJudge) start(ctx context.Context, where debian.Found, dir string, ls []licence) (url string, err error) {
	port, err := ports.Unused(ctx)
	if err != nil {
		return "", err
	}
	argv, err := j.command(where, dir, port, ls)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // a program that was looked for by name, and files of our own
	command.Env = append(os.Environ(), where.Environment...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 5 * time.Second
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	var client http.Client
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if status, err := get(ctx, &client, url+ls[0].path()+"ready"); err == nil && status == http.StatusOK {
			return url, nil
		}
		select {
		case err := <-ended:
			return "", fmt.Errorf("%s ended: %w\n%s", j.name, err, output.String())
		default:
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("%s does not answer after 10 s", j.name)
		}
	}
}

func get(ctx context.Context, client *http.Client, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
