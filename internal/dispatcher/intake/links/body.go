// SPDX-License-Identifier: Apache-2.0

package links

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// maxName is the longest member name that is looked at, in bytes as written; all names in use are shorter.
	maxName = 256
	// maxLink is the longest link that is rewritten, in bytes as written. URLs beyond it are served by nobody.
	maxLink = 16 << 10
	// chunk is how much is read at a time.
	chunk = 32 << 10
)

// Members are the members of a document that are rewritten. They are never changed.
type Members struct{ root *node }

// NewMembers merges the members' paths.
func NewMembers(members []dialect.Link) Members { return Members{tree(members)} }

// None says that there is nothing to rewrite.
func (m Members) None() bool { return len(m.root.children) == 0 }

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// Body returns the JSON document that body holds with the members rewritten, as it is read. Memory is bounded whatever the document. Reading it does not close
// body.
func (r Rewriter) Body(body io.Reader, members Members) io.Reader {
	return &document{source: body, rewriter: r, scan: scanner{stack: []frame{{value: members.root}}}}
}

// node is a place in a JSON document on the way to a member.
type node struct {
	children map[string]*node
	isLink   bool
}

func tree(members []dialect.Link) *node {
	root := &node{}
	for _, member := range members {
		at := root
		for _, name := range member {
			if at.children == nil {
				at.children = map[string]*node{}
			}
			if at.children[name] == nil {
				at.children[name] = &node{}
			}
			at = at.children[name]
		}
		at.isLink = true
	}
	return root
}

// document is the reader that Body returns.
type document struct {
	source   io.Reader
	rewriter Rewriter
	scan     scanner
	held     []byte // a link, until its end is seen
	ready    bytes.Buffer
	err      error
}

func (d *document) Read(p []byte) (int, error) {
	for d.ready.Len() == 0 {
		if d.err != nil {
			return 0, d.err
		}
		var n int
		piece := chunks.Get().(*[chunk]byte)
		n, d.err = d.source.Read(piece[:])
		d.take(piece[:n])
		chunks.Put(piece)
		if d.err != nil {
			d.release()
		}
	}
	return d.ready.Read(p)
}

// take moves bytes from the source towards the reader.
func (d *document) take(piece []byte) {
	passed := 0 // so many bytes of the piece are ready or held
	for i, b := range piece {
		at := d.scan.next(b)
		if at == elsewhere {
			continue
		}
		if len(d.held) == 0 {
			d.ready.Write(piece[passed:i])
		}
		d.held, passed = append(d.held, b), i+1
		switch {
		case at == endOfLink:
			d.held = d.rewritten(d.held)
			d.release()
		case len(d.held) > maxLink:
			d.release()
			d.scan.letGo()
		}
	}
	d.ready.Write(piece[passed:])
}

func (d *document) release() {
	d.ready.Write(d.held)
	d.held = d.held[:0]
}

// rewritten is a quoted string with the intake's URL, or itself if it does not lead to the CRM.
func (d *document) rewritten(quoted []byte) []byte {
	var link string
	if json.Unmarshal(quoted, &link) != nil {
		return quoted
	}
	link, changed := d.rewriter.URL(link)
	if !changed {
		return quoted
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // keeps & in queries readable, as it came
	if encoder.Encode(link) != nil {
		return quoted
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
