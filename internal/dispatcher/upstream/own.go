// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"io/fs"
	"os"
	"sync"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream/oauth"
)

// Own has the credentials that integrations have of their own. Nothing of one is ever used for another: each has its Secret, what was read of it lately, and its
// access tokens for itself. Its methods may be called by many goroutines.
type Own struct {
	files  fs.FS
	tokens func() *oauth.Tokens

	mu    sync.Mutex
	known map[string]Credentials
}

// NewOwn returns Own. files has a folder for each Secret, with one file for each key; tokens makes those of one more grant.
func NewOwn(files fs.FS, tokens func() *oauth.Tokens) *Own {
	return &Own{files: files, tokens: tokens, known: map[string]Credentials{}}
}

// of returns the credentials that a kind names; nil Own has none.
func (o *Own) of(kind contract.Credentials) Credentials {
	if o == nil {
		return Credentials{Files: noFiles{}}
	}
	id := kind.ID()
	o.mu.Lock()
	defer o.mu.Unlock()
	c, known := o.known[id]
	if known {
		return c
	}
	files, err := fs.Sub(o.files, kind.Secret)
	if err != nil { // no Secret has such a name
		files = noFiles{}
	}
	c = Credentials{Files: files, Recent: &Recent{}}
	if kind.TokenURL() != "" {
		c.Tokens = o.tokens()
	}
	o.known[id] = c
	return c
}

// Close waits for the requests for tokens that are under way, as oauth.Tokens does.
func (c Credentials) Close() {
	c.Tokens.Close()
	if c.Own != nil {
		c.Own.close()
	}
}

func (o *Own) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.known {
		if c.Tokens != nil {
			c.Tokens.Close()
		}
	}
}

// noFiles is a Secret that is not there.
type noFiles struct{}

// Open implements fs.FS.
func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
}
