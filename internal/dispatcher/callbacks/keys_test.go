// SPDX-License-Identifier: Apache-2.0

package callbacks

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// published is the key of the example that the libraries of Standard Webhooks are tested with, in all languages.
const published = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestSignatureIsThatOfThePublishedExample(t *testing.T) {
	keys, err := keysOf(fstest.MapFS{"s/key": {Data: []byte(published + "\n")}}, "s")
	if err != nil {
		t.Fatal(err)
	}
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := signatures(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
}

func TestEachKeySigns(t *testing.T) {
	other := contract.SigningKeyPrefix + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", minKey)))
	one, err := keysOf(fstest.MapFS{"s/a": {Data: []byte(published)}}, "s")
	if err != nil {
		t.Fatal(err)
	}
	both, err := keysOf(fstest.MapFS{
		"s/a": {Data: []byte(published)}, "s/b": {Data: []byte(other)}, "s/note": {Data: []byte("not a key")}, "s/..data/a": {Data: []byte(published)},
	}, "s")
	if err != nil || len(both) != 2 {
		t.Fatalf("%d keys, want 2: %v", len(both), err)
	}
	at := time.Unix(1, 0)
	first, second, two := strings.Cut(signatures(both, "id", at, nil), " ")
	if !two || first != signatures(one, "id", at, nil) || second == first {
		t.Errorf("the signatures are %q and %q", first, second)
	}
}

func TestTroubleWithKeysIsTold(t *testing.T) {
	key := func(n int) string {
		return contract.SigningKeyPrefix + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", n)))
	}
	many := fstest.MapFS{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		many["s/"+name] = &fstest.MapFile{Data: []byte(key(minKey))}
	}
	for want, files := range map[string]fstest.MapFS{
		"is missing":                      {"other/a": {Data: []byte(published)}},
		"has no value that begins with":   {"s/a": {Data: []byte("secret")}},
		`key "a" is not 24 to 64 bytes`:   {"s/a": {Data: []byte(key(minKey - 1))}},
		`key "b" is not 24 to 64 bytes`:   {"s/b": {Data: []byte(key(maxKey + 1))}},
		`key "c" is not 24 to 64 bytes`:   {"s/c": {Data: []byte("whsec_???")}},
		"has 5 signing keys, more than 4": many,
	} {
		_, err := keysOf(files, "s")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want that it %s", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "???") {
			t.Errorf("the error shows the value: %v", err)
		}
	}
	if _, err := keysOf(nil, "s"); err == nil {
		t.Error("without any Secret there is a key")
	}
}
