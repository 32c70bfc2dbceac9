// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// logs is a dialect in which a file tells of applications, too, a name a line. The newest one is named by its day and its length.
type logs struct{ tells }

// Usage implements Provider.
func (logs) Usage() (dialect.Usage, bool) {
	usage, _ := tells{}.Usage()
	usage.Logs = &dialect.AppLogs{
		Window: 24 * time.Hour, Newest: dialect.Request{Method: http.MethodGet, Target: "/newest"},
		ReadNewest: func(body []byte) (dialect.AppLog, bool) {
			date, length, _ := strings.Cut(string(body), " ")
			day, err := time.Parse(time.DateOnly, date)
			n, numberErr := strconv.ParseInt(length, 10, 64)
			return dialect.AppLog{Ask: dialect.Request{Method: http.MethodGet, Target: "/log/" + date}, Day: day, Bytes: n}, errors.Join(err, numberErr) == nil
		},
		Count: func(file io.Reader) (apps []dialect.AppUse, err error) {
			text, err := io.ReadAll(file)
			if strings.Contains(string(text), "damaged") {
				err = errors.New("it is damaged")
			}
			for name := range strings.Lines(string(text)) {
				apps = append(apps, dialect.AppUse{Name: strings.TrimSpace(name), Used: 1})
			}
			return apps, err
		},
	}
	return usage, true
}

// logging has the CRM of a test tell of a tenth of the day, and of a log.
func (b *bench) logging(size int64, newest, file answer) {
	b.dialect = logs{}
	b.crm.reply = func(c *call.Call) answer {
		switch {
		case c.Target == "/newest":
			return newest
		case strings.HasPrefix(c.Target, "/log/"):
			return file
		default:
			return toldDay{Limit: size, Left: size - size/10, Apps: map[string]int64{"quota": 5}}.answer()
		}
	}
}

func said(status int, body string) answer { return answer{status: status, body: body} }

// TestALogTellsOfApps: until it was read the answer about the limits does. It is read once, and asked three times a day whether there is another.
func TestALogTellsOfApps(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
		b.logging(100_000, said(http.StatusOK, yesterday+" 8"), said(http.StatusOK, "etl\ncti\n"))
		b.apply(asking(2, 300))
		time.Sleep(time.Second)
		b.wantApps("day at first", b.snap().Windows[1], "", contract.AppUse{Name: "quota", Used: 5})
		time.Sleep(24 * time.Hour)
		snap := b.snap()
		b.wantApps("minute", snap.Windows[0], "")
		b.wantApps("day", snap.Windows[1], yesterday, contract.AppUse{Name: "etl", Used: 1}, contract.AppUse{Name: "cti", Used: 1})
		asked, read, all := b.crm.asked("/newest"), b.crm.asked("/log/"+yesterday), len(b.crm.targets())
		if asked < 3 || asked > 4 || read != 1 || int64(all) != snap.UsageCalls || all > 330 {
			t.Errorf("asked %d times for the newest log and read it %d times, in %d calls of which %d are counted", asked, read, all, snap.UsageCalls)
		}
		if u := snap.Usage; u == nil || u.Call != "GET /limits" || u.Status != http.StatusOK {
			t.Errorf("the last answer is reported as %+v", u)
		}
		time.Sleep(72 * time.Hour)
		b.wantApps("day, days later", b.snap().Windows[1], "", contract.AppUse{Name: "quota", Used: 5})
	})
}

// wantApps checks what a window tells of applications; date is empty if it is to tell of them as they are.
func (b *bench) wantApps(what string, w contract.WindowReport, date string, apps ...contract.AppUse) {
	b.t.Helper()
	day := ""
	if w.AppsDay != nil {
		day = w.AppsDay.Format(time.DateOnly)
	}
	if !slices.Equal(w.Apps, apps) || day != date {
		b.t.Errorf("the %s tells %+v of %q, want %+v of %q", what, w.Apps, day, apps, date)
	}
}

// TestLogsThatAreNotToBeHad change nothing but that they are asked for less.
func TestLogsThatAreNotToBeHad(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) // that is when a bubble begins
	good, damaged := said(http.StatusOK, "etl\n"), said(http.StatusOK, "damaged")
	for name, test := range map[string]struct {
		newest, file answer
		asked, read  int
	}{
		"no permission":          {said(http.StatusForbidden, "no"), good, 3, 0},
		"no such thing":          {said(http.StatusBadRequest, "INVALID_TYPE"), good, 3, 0},
		"none yet":               {said(http.StatusOK, "none"), good, 9, 0},
		"too long":               {said(http.StatusOK, now+" 2000000000"), good, 9, 0},
		"damaged":                {said(http.StatusOK, now+" 7"), damaged, 9, 9},
		"one that is gone":       {said(http.StatusOK, now+" 7"), said(http.StatusNotFound, ""), 9, 9},
		"an answer that is lost": {answer{broken: true}, good, 9, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.logging(100_000, test.newest, test.file)
				b.apply(asking(2, 300))
				time.Sleep(3 * 24 * time.Hour)
				asked, read := b.crm.asked("/newest"), b.crm.asked("/log/"+now)
				if asked < test.asked || asked > test.asked+1 || read < test.read || read > test.read+1 {
					t.Errorf("asked %d times for the newest log and read it %d times in three days, want %d and %d", asked, read, test.asked, test.read)
				}
				snap := b.snap()
				if day := snap.Windows[1]; len(day.Apps) != 1 || day.AppsDay != nil {
					t.Errorf("the day is %+v", day)
				}
				if limits := b.crm.asked("/limits"); limits < 700 || snap.Usage == nil || snap.Usage.Status != http.StatusOK {
					t.Errorf("asked %d times what has been used, last answered %+v", limits, snap.Usage)
				}
			})
		})
	}
}

// TestLogsTakeTheirPartOfAHundredth: with them no more is asked than without.
func TestLogsTakeTheirPartOfAHundredth(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.logging(1000, said(http.StatusOK, "2000-01-01 7"), said(http.StatusNotFound, ""))
		b.apply(asking(2, 10, func(p *contract.Plan) { p.Limits[1].Calls = 1000 }))
		time.Sleep(10 * 24 * time.Hour)
		all, limits := len(b.crm.targets()), b.crm.asked("/limits")
		if all < 85 || all > 115 || limits < all*3/4-2 || limits == all {
			t.Errorf("%d calls in ten days of a thousand calls, %d of them about the limits, want about a hundred, three quarters of them", all, limits)
		}
	})
}

// TestLogsDoNotStandInTheWay: where a limit of their own has no room for questions about logs, what has been used is asked as always.
func TestLogsDoNotStandInTheWay(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.logging(100_000, said(http.StatusOK, "2000-01-01 7"), said(http.StatusOK, "etl"))
		b.apply(asking(2, 300, func(p *contract.Plan) {
			p.Limits = append(p.Limits, contract.Limit{Name: "logs", Calls: 1, WindowSeconds: 60, Match: &contract.Match{Path: "/newest"}})
		}))
		time.Sleep(5 * time.Hour)
		if logs, limits := b.crm.asked("/newest"), b.crm.asked("/limits"); logs != 0 || limits < 50 || limits > 70 {
			t.Errorf("asked %d times for the newest log and %d times what has been used", logs, limits)
		}
	})
}

// TestALogThatIsNotWantedAnyMore is let go: nothing is asked any more when its answer comes.
func TestALogThatIsNotWantedAnyMore(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		file := said(http.StatusOK, "etl\n")
		file.after = 40 * time.Second
		b.logging(100_000, said(http.StatusOK, "2000-01-01 7"), file)
		b.apply(asking(2, 60))
		for b.crm.asked("/log/2000-01-01") == 0 {
			time.Sleep(time.Second)
		}
		b.apply(asking(3, 0))
		time.Sleep(time.Hour)
		if day := b.snap().Windows[1]; day.Apps != nil || day.AppsDay != nil || b.crm.asked("/log/2000-01-01") != 1 {
			t.Errorf("the day is %+v", day)
		}
	})
}
