// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"
)

// window is a limit as the peers know it: so many calls per length.
type window struct {
	calls  int
	length time.Duration
}

// peerWindows are far from full: peers that refuse would be spared the work.
var peerWindows = []window{{1 << 30, time.Minute}, {1 << 30, time.Hour}, {1 << 30, 24 * time.Hour}, {1 << 30, 10 * time.Second}}

// tokenBuckets is golang.org/x/time/rate with a bucket for each window and one more for each integration.
type tokenBuckets struct {
	account      []*rate.Limiter
	integrations []*rate.Limiter
}

func newTokenBuckets(windows []window, integrations int) *tokenBuckets {
	t := &tokenBuckets{}
	for _, w := range windows {
		t.account = append(t.account, rate.NewLimiter(rate.Limit(float64(w.calls)/w.length.Seconds()), w.calls))
	}
	for range integrations {
		t.integrations = append(t.integrations, rate.NewLimiter(rate.Inf, 1))
	}
	return t
}

// allow takes a token of every bucket, or none.
func (t *tokenBuckets) allow(now time.Time, integration int) bool {
	if !t.integrations[integration].AllowN(now, 1) {
		return false
	}
	var taken [4]*rate.Reservation
	for i, l := range t.account {
		taken[i] = l.ReserveN(now, 1)
		if taken[i].OK() && taken[i].DelayFrom(now) == 0 {
			continue
		}
		for _, r := range taken[:i+1] {
			r.CancelAt(now)
		}
		return false
	}
	return true
}

// fixedWindows is the plain thing: a mutex, and a map from integration and window to a count.
type fixedWindows struct {
	windows []window
	mu      sync.Mutex
	counts  map[fixedKey]int
	starts  []int64
}

type fixedKey struct{ window, integration int }

// everybody is the key of the account's own count.
const everybody = -1

func newFixedWindows(windows []window) *fixedWindows {
	return &fixedWindows{windows: windows, counts: map[fixedKey]int{}, starts: make([]int64, len(windows))}
}

func (f *fixedWindows) allow(now time.Time, integration int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.windows {
		if start := now.UnixNano() / int64(f.windows[w].length); start != f.starts[w] {
			f.starts[w] = start
			for key := range f.counts {
				if key.window == w {
					delete(f.counts, key)
				}
			}
		}
		if f.counts[fixedKey{w, everybody}] >= f.windows[w].calls {
			return false
		}
	}
	for w := range f.windows {
		f.counts[fixedKey{w, everybody}]++
		f.counts[fixedKey{w, integration}]++
	}
	return true
}

// slidingLog is what Redis scripts for sliding windows do: a sorted set of instants for each window, all or nothing. KEYS are the sets; ARGV are now in
// microseconds, a member that is unique, and for each set its length in microseconds and its number of calls.
const slidingLog = `
local now = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, 0, now - tonumber(ARGV[2 * i + 1]))
  if redis.call('ZCARD', key) >= tonumber(ARGV[2 * i + 2]) then return 0 end
end
for i, key in ipairs(KEYS) do redis.call('ZADD', key, now, ARGV[2]) end
return 1`

// redisLog is a Redis of its own on a socket in a temporary folder, and the script in it.
type redisLog struct {
	client *redis.Client
	script *redis.Script
	keys   []string
	shape  []any
}

func startRedisLog(b *testing.B, windows []window) *redisLog {
	b.Helper()
	server, err := exec.LookPath("redis-server")
	if err != nil {
		b.Skip("redis-server is not installed: no figure for a limiter in Redis (apt-get install --no-install-recommends redis-server)")
	}
	dir := b.TempDir()
	socket := filepath.Join(dir, "redis.sock")
	command := exec.CommandContext(b.Context(), server, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	r := &redisLog{client: redis.NewClient(&redis.Options{Network: "unix", Addr: socket}), script: redis.NewScript(slidingLog)}
	b.Cleanup(func() {
		_ = r.client.Close()
		_ = command.Process.Kill() // it keeps nothing
		_ = command.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); r.client.Ping(b.Context()).Err() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("redis-server does not answer after 10 s")
		}
	}
	for i, w := range windows {
		r.keys = append(r.keys, fmt.Sprintf("{crm}:%d", i))
		r.shape = append(r.shape, w.length.Microseconds(), w.calls)
	}
	return r
}

func (r *redisLog) allow(b *testing.B, now time.Time, id int) bool {
	b.Helper()
	taken, err := r.script.Run(b.Context(), r.client, r.keys, append([]any{now.UnixMicro(), id}, r.shape...)...).Int()
	if err != nil {
		b.Fatal(err)
	}
	return taken == 1
}
