// SPDX-License-Identifier: Apache-2.0

package sealing

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// recently is how long what the Secret held is taken to be what it holds: the kubelet takes longer to pass on an edit.
const recently = time.Second

// Secret reads the wrapping keys from a mounted Secret, again and again: the kubelet replaces the files while we run. Its method may be called by many goroutines.
type Secret struct {
	// Files is the mounted Secret, one file for each key; nil if none can be mounted.
	Files fs.FS
	// Named returns which files hold the keys, or nil while contents are not to be encrypted.
	Named func() *contract.Encryption

	mu    sync.Mutex
	names contract.Encryption
	at    time.Time
	ring  *Ring
	err   error
}

// Ring returns the wrapping keys, nil while contents are not to be encrypted. Its error is ErrNoKey and says what is wrong with the Secret.
func (s *Secret) Ring() (*Ring, error) {
	names := s.Named()
	if names == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.names != *names || now.Sub(s.at) >= recently {
		s.ring, s.err = s.read(*names)
		s.names, s.at = *names, now
	}
	return s.ring, s.err
}

func (s *Secret) read(names contract.Encryption) (*Ring, error) {
	newest, err := s.key(names.Current)
	if err != nil {
		return nil, err
	}
	if newest == nil {
		return nil, fmt.Errorf("%w: the encryption Secret lacks the key %q", ErrNoKey, names.Current)
	}
	former, err := s.key(names.Former)
	return &Ring{Newest: newest, Former: former}, err
}

// key returns a key of the Secret, nil if it is not there.
func (s *Secret) key(name string) (*Wrapping, error) {
	if s.Files == nil {
		return nil, nil
	}
	value, err := fs.ReadFile(s.Files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read the key %q of the encryption Secret: %w", ErrNoKey, name, err)
	}
	w, err := ParseWrapping(value)
	if err != nil {
		return nil, fmt.Errorf("%w: the key %q of the encryption Secret: %w", ErrNoKey, name, err)
	}
	return w, nil
}
