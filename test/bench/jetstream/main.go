// SPDX-License-Identifier: Apache-2.0

// Jetstream measures a durable queue that others made: it runs a NATS server with JetStream and sync_interval always, has messages published, each client waiting
// for the server's acknowledgement, and prints how many nanoseconds one took. It is a module of its own, so that the operator depends on nothing of it.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

func main() {
	dir := flag.String("dir", "", "folder for the stream")
	n := flag.Int("n", 1000, "messages")
	clients := flag.Int("clients", 128, "clients that publish at a time")
	size := flag.Int("bytes", 1024, "bytes of a message")
	flag.Parse()
	took, err := run(*dir, *n, *clients, bytes.Repeat([]byte("x"), *size))
	if err != nil {
		fmt.Fprintln(os.Stderr, "jetstream:", err)
		os.Exit(1)
	}
	fmt.Println(float64(took) / float64(*n))
}

func run(dir string, n, clients int, message []byte) (time.Duration, error) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true,
	})
	if err != nil {
		return 0, err
	}
	go s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		return 0, fmt.Errorf("the server is not ready")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	publishers := make([]jetstream.JetStream, clients)
	for i := range publishers {
		connection, err := nats.Connect(s.ClientURL())
		if err != nil {
			return 0, err
		}
		defer connection.Close()
		if publishers[i], err = jetstream.New(connection); err != nil {
			return 0, err
		}
	}
	if _, err := publishers[0].CreateStream(ctx, jetstream.StreamConfig{Name: "calls", Subjects: []string{"calls"}, Storage: jetstream.FileStorage}); err != nil {
		return 0, err
	}
	began := time.Now()
	var group errgroup.Group
	for i, p := range publishers {
		group.Go(func() error {
			for range (n + i) / clients {
				if _, err := p.Publish(ctx, "calls", message); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return time.Since(began), err
}
