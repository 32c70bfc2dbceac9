package progress

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestALogShowsEveryTaskOnceAndALongOneByHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		printer := NewLog(&out)
		task := printer.Start("kube-apiserver")
		for compiled := range 3 {
			task.Update("%d packages compiled", compiled)
			time.Sleep(Heartbeat * 3 / 4)
		}
		task.Done("built")
		err := printer.Run("etcd", func(*Task) error { return errors.New("no disk") })
		if err == nil || err.Error() != "etcd: no disk" {
			t.Errorf("Run returned %v", err)
		}
		want := "" +
			"  kube-apiserver               10.0s  ...    1 packages compiled\n" +
			"  kube-apiserver               20.0s  ...    2 packages compiled\n" +
			"  kube-apiserver               22.5s  ok     built\n" +
			"  etcd                          0.0s  FAILED \n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

func TestATerminalShowsOneLineThatIsDrawnAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		printer := &Printer{w: &out, terminal: true, every: redraw}
		task := printer.Start("etcd")
		task.Update("compiling")
		time.Sleep(redraw + redraw/2)
		task.Done("")
		want := clearLine + "  etcd                          0.5s  ...    compiling" + clearLine + "  etcd                          0.8s  ok     \n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("terminal (-want +got):\n%s", diff)
		}
	})
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0.0s",
		1540 * time.Millisecond: "1.5s",
		59 * time.Second:        "59.0s",
		time.Minute:             "1m00s",
		605 * time.Second:       "10m05s",
	} {
		if got := Elapsed(d); got != want {
			t.Errorf("Elapsed(%v) = %s, want %s", d, got, want)
		}
	}
}
