// SPDX-License-Identifier: Apache-2.0

package backlog

// Vault keeps small secrets that their owner has sealed: the store cannot read them. Its methods may be called by many goroutines.
type Vault interface {
	// Keep makes a sealed secret durable under a name before it returns, in place of the one that was there.
	Keep(name string, sealed []byte) error
	// Kept returns the secret that was kept last under a name, nil if none was.
	Kept(name string) ([]byte, error)
}
