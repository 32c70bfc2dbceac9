// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream/oauth"
)

var reauthorize = contract.CredentialsReport{
	Token:   contract.TokenReauthorize,
	Message: "the token endpoint refuses the client (invalid_grant): authorise the client anew and put its new refresh token into the credentials Secret",
}

// TestRotatedTokenSurvivesPowerLoss at each point of the exchange: what the CRM has rotated to is what the next life goes on with, as soon as anybody could
// have used the access token that came with it.
func TestRotatedTokenSurvivesPowerLoss(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		for life := range 4 {
			if life%2 == 0 {
				w.want(byRefresh, http.StatusOK)
			} else {
				// Nobody uses this token before the power fails: its having come is enough.
				w.check(byRefresh)
				time.Sleep(time.Second)
				if got := w.check(byRefresh); !got.Resolved {
					t.Fatalf("life %d: the report is %+v", life, got)
				}
			}
			w.wantTokens(life + 1)
			w.loseVolatile()
		}
		w.want(byRefresh, http.StatusOK)
		w.wantTokens(5)
	})
}

// TestPowerLossBetweenReceiptAndStore: the answer had not been stored, so the pair is lost; the report says what to do, and a new token in the Secret mends it.
func TestPowerLossBetweenReceiptAndStore(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		before := w.disk.CrashClone(vfs.CrashCloneCfg{})
		w.want(byRefresh, http.StatusOK)
		w.shutDown()
		w.disk = before
		w.machine = w.powerOn(before, w.dialed)
		if _, err := w.send(byRefresh); !errors.Is(err, ErrNoToken) {
			t.Errorf("a call without a valid refresh token: %v", err)
		}
		if diff := cmp.Diff(reauthorize, w.check(byRefresh)); diff != "" {
			t.Errorf("the report (-want +got):\n%s", diff)
		}
	})
}

// TestAnOrderlyEndKeepsWhatIsOnItsWay: the answer that comes while the dispatcher stops is stored, and nothing is asked for afterwards.
func TestAnOrderlyEndKeepsWhatIsOnItsWay(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		if got := w.check(byRefresh); got.Token != contract.TokenPending {
			t.Fatalf("the report is %+v", got)
		}
		w.tokens.Close()
		time.Sleep(time.Hour) // beyond the token's life
		if _, err := w.send(byRefresh); !errors.Is(err, oauth.ErrClosed) {
			t.Errorf("a call after the end: %v", err)
		}
		w.wantTokens(1)
		w.loseVolatile()
		w.want(byRefresh, http.StatusOK)
	})
}

// TestNewTokenInTheSecretWins over the one that was kept, and the kept one over the Secret's that it has come from.
func TestNewTokenInTheSecretWins(t *testing.T) {
	config := simulated()
	config.OAuth.RefreshToken = "authorised-anew"
	withTokens(t, config, func(w *tokenWorld) {
		sealed, err := w.sealedFromSeed()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.store.Keep("crm/refresh", sealed); err != nil {
			t.Fatal(err)
		}
		if _, err := w.send(byRefresh); err == nil {
			t.Error("the token that was kept is valid")
		}
		w.files.set("refresh", "authorised-anew")
		w.want(byRefresh, http.StatusOK)
		w.loseVolatile()
		w.want(byRefresh, http.StatusOK)
	})
}

// sealedFromSeed is what a store holds after one rotation at another CRM.
func (w *tokenWorld) sealedFromSeed() ([]byte, error) {
	other := w.powerOn(vfs.NewMem(), serveHTTP(w.T, answers(`{"access_token":"a","token_type":"bearer","expires_in":600,"refresh_token":"of-another-crm"}`)))
	_, done, err := other.tokens.Use(w.Context(), grantOf(Destination{Credentials: byRefresh}, map[string]string{"id": "client", "secret": clientSecret, "refresh": seed}))
	if err != nil {
		return nil, err
	}
	done()
	sealed, err := other.store.Kept("crm/refresh")
	other.tokens.Close()
	return sealed, errors.Join(err, other.store.Close())
}

// answers is a token endpoint that says the same to everybody.
func answers(body string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, body) // the client may have gone
	})
}

// TestChangedClientSecretKeepsTheChain while the process lives, and is told apart from a token that the CRM does not take when it does not.
func TestChangedClientSecretKeepsTheChain(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		w.want(byRefresh, http.StatusOK)
		w.files.set("secret", "changed")
		if _, err := w.send(byRefresh); err == nil {
			t.Error("the CRM does not know the client's secret, yet the call was signed")
		}
		w.files.set("secret", clientSecret)
		w.want(byRefresh, http.StatusOK)
		w.files.set("secret", "changed")
		w.loseVolatile()
		if _, err := w.send(byRefresh); err == nil {
			t.Error("a token was read without the secret that it was sealed with")
		}
		says := contract.CredentialsReport{
			Token: contract.TokenReauthorize,
			Message: "the newest refresh token was sealed with another client secret: " +
				"authorise the client anew and put its new refresh token into the credentials Secret",
		}
		if diff := cmp.Diff(says, w.check(byRefresh)); diff != "" {
			t.Errorf("the report (-want +got):\n%s", diff)
		}
	})
}

// brokenVault keeps nothing until it is mended.
type brokenVault struct {
	oauth.Vault
	mended bool
}

func (v *brokenVault) Keep(name string, sealed []byte) error {
	if !v.mended {
		return errors.New("no space left")
	}
	return v.Vault.Keep(name, sealed)
}

// TestTokenIsNotUsedBeforeItsPairIsKept, and the pair is not forgotten: the CRM has ended the one before.
func TestTokenIsNotUsedBeforeItsPairIsKept(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		vault := &brokenVault{Vault: w.store}
		w.tokens = oauth.New(oauth.Options{Dialer: byPipe(w.dialed), Vault: vault, Now: time.Now, Random: fixedRandom()})
		w.credentials.Tokens = w.tokens
		w.client = New(Options{Dialer: byPipe(w.dialed), Credentials: w.credentials, Now: time.Now})
		if _, err := w.send(byRefresh); err == nil || w.sim.Report().Arrivals != 0 {
			t.Errorf("the token was used: %v, %d arrivals", err, w.sim.Report().Arrivals)
		}
		vault.mended = true
		time.Sleep(time.Second)
		w.want(byRefresh, http.StatusOK)
		w.loseVolatile()
		w.want(byRefresh, http.StatusOK)
	})
}

// TestTheDiskHoldsNoTokenInClear: neither the refresh token nor an access token is in any file of the store.
func TestTheDiskHoldsNoTokenInClear(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		network := w.dialed
		var mu sync.Mutex
		var issued []string
		w.dialed = func(ctx context.Context, name, address string) (net.Conn, error) {
			conn, err := network(ctx, name, address)
			return &spy{Conn: conn, saw: func(b []byte) {
				mu.Lock()
				defer mu.Unlock()
				issued = append(issued, tokensIn(string(b))...)
			}}, err
		}
		w.loseVolatile()
		w.want(byRefresh, http.StatusOK)
		synctest.Wait()
		mu.Lock()
		secrets := append(slices.Clone(issued), seed, clientSecret)
		mu.Unlock()
		if len(secrets) != 4 {
			t.Fatalf("%d tokens were seen on the wire, want an access token and a refresh token", len(secrets)-2)
		}
		w.shutDown()
		names, err := w.disk.List("data")
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for _, name := range names {
			f, err := w.disk.Open(w.disk.PathJoin("data", name))
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(f)
			if err := errors.Join(err, f.Close()); err != nil {
				continue // a directory
			}
			read += len(content)
			for _, secret := range secrets {
				if strings.Contains(string(content), secret) {
					t.Errorf("%s holds a secret", name)
				}
			}
		}
		if read == 0 {
			t.Error("nothing was read")
		}
		w.machine = w.powerOn(w.disk, network)
	})
}

// spy sees what is read from a connection.
type spy struct {
	net.Conn
	saw func([]byte)
}

func (s *spy) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.saw(b[:n])
	return n, err
}

// tokensIn are the tokens of a token endpoint's answer.
func tokensIn(answer string) (found []string) {
	for _, member := range []string{`"access_token":"`, `"refresh_token":"`} {
		if _, rest, is := strings.Cut(answer, member); is {
			token, _, _ := strings.Cut(rest, `"`)
			found = append(found, token)
		}
	}
	return found
}
