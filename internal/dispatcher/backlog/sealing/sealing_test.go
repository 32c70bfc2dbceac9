// SPDX-License-Identifier: Apache-2.0

package sealing

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func wrapping(t *testing.T, b byte) *Wrapping {
	t.Helper()
	w, err := ParseWrapping([]byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestParseWrapping(t *testing.T) {
	raw := bytes.Repeat([]byte{7}, 32)
	encoded, err := ParseWrapping([]byte(base64.StdEncoding.EncodeToString(raw) + "\r\n"))
	if err != nil || encoded.ID() != wrapping(t, 7).ID() {
		t.Errorf("the key with a line break is another: %v", err)
	}
	for _, bad := range [][]byte{nil, raw, []byte("a password of 32 letters, no key"), []byte(base64.StdEncoding.EncodeToString(raw[:24])), []byte("a password of 44 letters, which is no key !!!")} {
		if _, err := ParseWrapping(bad); err == nil || len(bad) > 0 && strings.Contains(err.Error(), string(bad)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWrapping(t *testing.T) {
	one, two := wrapping(t, 1), wrapping(t, 2)
	key, wrapped, err := one.NewKey([]byte("here"))
	if err != nil {
		t.Fatal(err)
	}
	sealed := key.Seal([]byte("content"), []byte("place"))
	both := &Ring{Newest: two, Former: one}
	again, changed, err := both.Rewrap(wrapped, []byte("here"))
	if err != nil || !changed || again.By != two.ID() {
		t.Fatalf("wrapped again: %+v %v %v", again, changed, err)
	}
	if _, changed, err := both.Rewrap(again, []byte("here")); changed || err != nil {
		t.Errorf("wrapped a third time: %v %v", changed, err)
	}
	for name, test := range map[string]struct {
		ring    *Ring
		wrapped Wrapped
		place   string
		err     error
	}{
		"by the newest":            {&Ring{Newest: one}, wrapped, "here", nil},
		"by the former":            {both, wrapped, "here", nil},
		"wrapped again":            {&Ring{Newest: two}, again, "here", nil},
		"by one that is not there": {&Ring{Newest: two}, wrapped, "here", ErrNoKey},
		"without keys":             {nil, wrapped, "here", ErrNoKey},
		"in another place":         {both, wrapped, "there", ErrDamaged},
		"changed":                  {both, Wrapped{By: one.ID(), Key: append([]byte{0}, wrapped.Key[1:]...)}, "here", ErrDamaged},
		"too short":                {both, Wrapped{By: one.ID()}, "here", ErrDamaged},
	} {
		opened, err := test.ring.Open(test.wrapped, []byte(test.place))
		if !errors.Is(err, test.err) {
			t.Errorf("%s: %v", name, err)
		}
		if test.err != nil {
			continue
		}
		if content, err := opened.Open(sealed, []byte("place")); err != nil || string(content) != "content" {
			t.Errorf("%s: opened %q: %v", name, content, err)
		}
		if _, err := opened.Open(sealed, []byte("elsewhere")); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: in another place: %v", name, err)
		}
		if !bytes.Equal(opened.Fingerprint([]byte("x")), key.Fingerprint([]byte("x"))) || bytes.Equal(opened.Fingerprint([]byte("x")), key.Fingerprint([]byte("y"))) {
			t.Errorf("%s: fingerprints differ", name)
		}
	}
}

func TestSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := func(b byte) *fstest.MapFile {
			return &fstest.MapFile{Data: []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) + "\n")}
		}
		files := fstest.MapFS{}
		names := &contract.Encryption{Current: "current", Former: "former"}
		s := &Secret{Files: files, Named: func() *contract.Encryption { return names }}
		expect := func(ids, failure string) {
			t.Helper()
			time.Sleep(recently)
			ring, err := s.Ring()
			if failure != "" {
				if !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), failure) {
					t.Errorf("the error is %v, want %s", err, failure)
				}
				return
			}
			if err != nil || ring.IDs() != ids {
				t.Errorf("the ring is %s, want %s: %v", ring.IDs(), ids, err)
			}
		}
		one, two := wrapping(t, 1).ID(), wrapping(t, 2).ID()
		expect("", `the encryption Secret lacks the key "current"`)
		files["current"] = key(1)
		expect(one, "")
		files["former"], files["current"] = files["current"], key(2)
		if ring, err := s.Ring(); err != nil || ring.IDs() != one {
			t.Errorf("it is read for every call: %v", err)
		}
		expect(two+"+"+one, "")
		files["former"] = &fstest.MapFile{Data: []byte("short")}
		expect("", `the key "former" of the encryption Secret: it must be 32 random bytes in base64`)
		names = &contract.Encryption{Current: "former", Former: "none"}
		expect("", `the key "former"`)
		names = nil
		expect("none", "")
	})
}

// BenchmarkSeal encrypts 1 KiB.
func BenchmarkSeal(b *testing.B) {
	w, err := ParseWrapping([]byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))))
	if err != nil {
		b.Fatal(err)
	}
	key, _, err := w.NewKey([]byte("place"))
	if err != nil {
		b.Fatal(err)
	}
	content := make([]byte, 1024)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		key.Seal(content, []byte("place"))
	}
}
