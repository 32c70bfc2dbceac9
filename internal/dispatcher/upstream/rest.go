// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// Rest is the part of a long answer that is read at the client's pace.
type Rest struct {
	body     io.ReadCloser
	deadline *time.Timer
	cancel   context.CancelFunc
	now      func() time.Time

	once     sync.Once
	done     chan struct{}
	ended    time.Time
	complete bool
}

func newRest(ctx context.Context, body io.ReadCloser, deadline *time.Timer, cancel context.CancelFunc, now func() time.Time) *Rest {
	deadline.Stop() // the client sets the pace from here on
	r := &Rest{body: body, deadline: deadline, cancel: cancel, now: now, done: make(chan struct{})}
	context.AfterFunc(ctx, func() { r.end(false) }) // nobody may be reading
	return r
}

// Wait returns once the answer has ended: when that was, and whether it was read to its end. It does not when nobody reads: the body must be closed.
func (r *Rest) Wait() (ended time.Time, complete bool) {
	<-r.done
	return r.ended, r.complete
}

// after returns the whole answer: what was buffered, then the rest.
func (r *Rest) after(buffered io.Reader) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(buffered, r), r}
}

// Read implements io.Reader. Each part may take ResponseTimeout.
func (r *Rest) Read(p []byte) (int, error) {
	r.deadline.Reset(ResponseTimeout)
	n, err := r.body.Read(p)
	r.deadline.Stop()
	if err != nil {
		r.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close ends the answer where it is.
func (r *Rest) Close() error {
	r.end(false)
	return nil
}

func (r *Rest) end(complete bool) {
	r.once.Do(func() {
		r.deadline.Stop()
		r.ended, r.complete = r.now(), complete
		_ = r.body.Close() // it was read to the end, or is given up
		r.cancel()
		close(r.done)
	})
}
