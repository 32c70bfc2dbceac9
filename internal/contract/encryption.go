// SPDX-License-Identifier: Apache-2.0

package contract

// Encryption says which keys encrypt what is stored of calls; the values are files in EncryptionDir. Each holds 32 random bytes in base64.
type Encryption struct {
	// Current is the key that encrypts.
	Current string `json:"current"`
	// Former is one that was Current before: what it has encrypted can still be read. Its file need not be there.
	Former string `json:"former"`
}
