// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"io"
	"net/http"
	"os"

	"golang.org/x/sys/unix"
)

// journal appends bodies to a file, as many with one fdatasync as come while the one before it lasts. It is the least that a gateway does which has a call on the
// disk before it goes on with it, and so the limit of one.
type journal struct {
	file    *os.File
	entries chan entry
}

type entry struct {
	body    []byte
	durable chan error
}

func openJournal(path string) (*journal, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	j := &journal{file, make(chan entry, 1024)}
	go j.run()
	return j, nil
}

func (j *journal) run() {
	for first := range j.entries {
		batch := []entry{first}
		for range len(j.entries) {
			batch = append(batch, <-j.entries)
		}
		err := j.write(batch)
		for _, e := range batch {
			e.durable <- err
		}
	}
}

func (j *journal) write(batch []entry) error {
	var all bytes.Buffer
	for _, e := range batch {
		all.Write(e.body)
	}
	if _, err := j.file.Write(all.Bytes()); err != nil {
		return err
	}
	return unix.Fdatasync(int(j.file.Fd()))
}

// before has a request's body on the disk before next sees it.
func (j *journal) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			durable := make(chan error, 1)
			j.entries <- entry{body, durable}
			err = <-durable
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}
