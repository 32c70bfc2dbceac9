// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
)

// server is an API server that answers with the documents in force.
func server(t *testing.T, discovery, keys *atomic.Value) *Keys {
	t.Helper()
	mux := http.NewServeMux()
	serve := func(document *atomic.Value) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(document.Load().(string)))
		}
	}
	mux.HandleFunc(discoveryPath, serve(discovery))
	mux.HandleFunc(keysPath, serve(keys))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	k, err := New(&rest.Config{Host: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func documents(discovery, keys string) (d, k *atomic.Value) {
	d, k = &atomic.Value{}, &atomic.Value{}
	d.Store(discovery)
	k.Store(keys)
	return d, k
}

func TestRefreshWakesOnlyWhenKeysChange(t *testing.T) {
	discovery, keys := documents(`{"issuer":"https://issuer.example"}`, `{"keys":[{"kid":"b"},{"kid":"a"}]}`)
	k := server(t, discovery, keys)
	changes := k.Changes()
	refresh := func() bool {
		t.Helper()
		if err := k.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changes:
			return true
		default:
			return false
		}
	}
	if refresh() {
		t.Error("the first keys woke the controllers, which have not looked yet")
	}
	if got := k.Current(); len(got) != 1 || got[0].Issuer != "https://issuer.example" || string(got[0].Keys) != `{"keys":[{"kid":"a"},{"kid":"b"}]}` {
		t.Fatalf("read %+v", got)
	}
	keys.Store(`{"keys":[{"kid":"a"},{"kid":"b"}]}`)
	if refresh() {
		t.Error("another order of the same keys woke the controllers")
	}
	keys.Store(`{"keys":[{"kid":"c"}]}`)
	if !refresh() {
		t.Error("new keys did not wake the controllers")
	}
}

func TestKeysStayWhenTheyCannotBeRead(t *testing.T) {
	discovery, keys := documents(`{"issuer":"https://issuer.example"}`, `{"keys":[{"kid":"a"}]}`)
	k := server(t, discovery, keys)
	if err := k.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ discovery, keys, want string }{
		"no issuer":          {`{}`, `{"keys":[{"kid":"a"}]}`, "names no issuer"},
		"no JSON":            {`?`, `{"keys":[{"kid":"a"}]}`, discoveryPath},
		"no keys":            {`{"issuer":"https://issuer.example"}`, `{"keys":[]}`, "no keys"},
		"keys are not a set": {`{"issuer":"https://issuer.example"}`, `[]`, keysPath},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			discovery.Store(test.discovery)
			keys.Store(test.keys)
			if err := k.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %q", err, test.want)
			}
			if len(k.Current()) != 1 {
				t.Error("the keys that were known are lost")
			}
		})
	}
}
