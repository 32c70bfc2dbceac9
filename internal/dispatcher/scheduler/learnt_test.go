// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// teach has the CRM refuse the fourth call of each of six bursts, with a pause of three seconds. It learns when the next one is taken.
func teach(b *bench, next func() *call.Call) {
	time.Sleep(10 * time.Second) // what had been taken before the first refusal is to be known
	for range 6 {
		for range 3 {
			b.do(next(), 0)
		}
		b.crm.script = []answer{refusal("operation")}
		b.do(next(), 0)
		time.Sleep(10 * time.Second)
	}
	b.do(next(), 0)
	time.Sleep(10 * time.Second)
}

func search() *call.Call { return named("Search", "/q") }

// TestALimitIsLearnt from refusals of one operation: its calls wait for it, others do not, and the report, the reasons and a restart know of it.
func TestALimitIsLearnt(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(limited(2))
		teach(b, search)
		want := contract.LearntLimit{Match: contract.Match{Operations: []string{"Search"}}, Calls: 3, WindowSeconds: 5}
		check := func(when string) {
			t.Helper()
			learnt := b.snap().Learnt
			if len(learnt) != 1 || !slices.Equal(learnt[0].Match.Operations, want.Match.Operations) || learnt[0].Calls != want.Calls || learnt[0].WindowSeconds != want.WindowSeconds {
				t.Fatalf("%s %+v was learnt, want %+v", when, learnt, want)
			}
			for range 3 {
				b.do(search(), 0)
			}
			r := b.refused(search(), 0)
			if r.Code != contract.ReasonLimitReached || !strings.Contains(r.Detail, "3 calls like this one in 5s") || r.RetryAfter <= 5*time.Second || r.RetryAfter > 6*time.Second {
				t.Errorf("%s a fourth call is refused with %+v", when, r)
			}
			if status := b.do(named("List", "/q"), 0); status != http.StatusOK {
				t.Errorf("%s another operation has status %d", when, status)
			}
		}
		check("at first")
		began := time.Now()
		if status := b.do(search(), 10*time.Second); status != http.StatusOK || time.Since(began) < 5*time.Second || time.Since(began) > 6*time.Second {
			t.Errorf("a call that waits has status %d after %s, want it when the first ones are over", status, time.Since(began))
		}
		time.Sleep(10 * time.Second)
		b.restart(time.Second)
		check("after a restart")
	})
}

// TestALearntLimitThatIsDeclared is not hidden any more; one that is declared much larger is.
func TestALearntLimitThatIsDeclared(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(limited(2))
		teach(b, search)
		for n, test := range []struct {
			declared int64
			left     int
		}{{40, 1}, {3, 0}} {
			b.apply(limited(int64(3+n), contract.Limit{Name: "searches", Calls: test.declared, WindowSeconds: 5, Match: &contract.Match{Operations: []string{"Search"}}}))
			if left := len(b.snap().Learnt); left != test.left {
				t.Errorf("with %d declared %d are believed, want %d", test.declared, left, test.left)
			}
		}
	})
}

// TestAnEndpointsLimitIsLearnt by the method and the shape of the path, where calls have no name.
func TestAnEndpointsLimitIsLearnt(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(limited(2))
		n := 0
		teach(b, func() *call.Call {
			n++
			return read(fmt.Sprintf("/views/%d/execute", n))
		})
		learnt := b.snap().Learnt
		if len(learnt) != 1 || learnt[0].Match.Path != "/views/*/execute" || !slices.Equal(learnt[0].Match.Methods, []string{http.MethodGet}) {
			t.Errorf("%+v was learnt", learnt)
		}
	})
}
