// SPDX-License-Identifier: Apache-2.0

package sealing

import "fmt"

// Ring holds the wrapping keys. A nil one holds none.
type Ring struct {
	// Newest wraps.
	Newest *Wrapping
	// Former opens, too, while keys are changed; nil if there is none.
	Former *Wrapping
}

// IDs tells rings apart.
func (r *Ring) IDs() string {
	switch {
	case r == nil:
		return "none"
	case r.Former == nil:
		return r.Newest.id
	default:
		return r.Newest.id + "+" + r.Former.id
	}
}

// Open unwraps the data key of a place with the key that wrapped it. Its errors are ErrNoKey and ErrDamaged.
func (r *Ring) Open(sealed Wrapped, place []byte) (*Key, error) {
	w, err := r.wrapperOf(sealed)
	if err != nil {
		return nil, err
	}
	return w.Open(sealed, place)
}

// Rewrap wraps a data key with the newest key; changed is false if it is already.
func (r *Ring) Rewrap(sealed Wrapped, place []byte) (again Wrapped, changed bool, err error) {
	w, err := r.wrapperOf(sealed)
	if err != nil || w == r.Newest {
		return sealed, false, err
	}
	secret, err := w.unwrap(sealed, place)
	if err != nil {
		return sealed, false, err
	}
	return r.Newest.wrap(secret, place), true, nil
}

// Holds reports whether the ring has the key that wrapped a data key.
func (r *Ring) Holds(sealed Wrapped) bool {
	_, err := r.wrapperOf(sealed)
	return err == nil
}

func (r *Ring) wrapperOf(sealed Wrapped) (*Wrapping, error) {
	switch {
	case r == nil:
	case r.Newest.id == sealed.By:
		return r.Newest, nil
	case r.Former != nil && r.Former.id == sealed.By:
		return r.Former, nil
	}
	return nil, fmt.Errorf("%w: the one of which the hash begins with %s", ErrNoKey, sealed.By)
}
