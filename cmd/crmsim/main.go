// SPDX-License-Identifier: Apache-2.0

// Command crmsim serves the simulated CRM of internal/crmsim, or prints what its judge found.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // calendar limits work in an image that holds nothing but this binary

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// shutdownGrace is how long calls in service may take to end after a signal.
const shutdownGrace = 5 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "crmsim:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) > 0 && args[0] == "report" {
		return printReport(ctx, args[1:], os.Stdout)
	}
	o, err := parseServe(args)
	if err != nil {
		return err
	}
	return serve(ctx, o)
}

// serve runs both servers until the context ends or one of them fails.
func serve(ctx context.Context, o serveOptions) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	sim := crmsim.New(o.config)
	defer sim.Close()
	api := newServer(sim, log)
	control := newServer(sim.Control(), log)

	var listening net.ListenConfig
	apiListener, err := listening.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	controlListener, err := listening.Listen(ctx, "tcp", o.control)
	if err != nil {
		return errors.Join(err, apiListener.Close())
	}
	log.Info("serving", "api", apiListener.Addr().String(), "control", controlListener.Addr().String(), "tls", o.tlsCert != "")

	failed := make(chan error, 2)
	go func() {
		if o.tlsCert != "" {
			failed <- api.ServeTLS(apiListener, o.tlsCert, o.tlsKey)
			return
		}
		failed <- api.Serve(apiListener)
	}()
	go func() { failed <- control.Serve(controlListener) }()

	select {
	case <-ctx.Done():
		log.Info("stopping")
	case err = <-failed:
	}
	return errors.Join(err, shutdown(context.WithoutCancel(ctx), sim, api, control))
}

// shutdown lets calls in service end by themselves for a while, then ends them.
func shutdown(ctx context.Context, sim *crmsim.Server, api, control *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	if err := api.Shutdown(ctx); err != nil {
		sim.Close()
		return errors.Join(api.Close(), control.Close())
	}
	return control.Shutdown(ctx)
}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
