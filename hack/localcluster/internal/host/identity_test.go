package host

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestARunningProcessIsFoundAndKilled(t *testing.T) {
	cmd := startChild(t)
	identity, err := Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	process, err := identity.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	if err := process.Kill(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	// Killed but not yet reaped: for us it is gone.
	if _, err := identity.Open(); !errors.Is(err, ErrGone) {
		t.Errorf("after the kill, before the reaping: %v", err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
	if _, err := identity.Open(); !errors.Is(err, ErrGone) {
		t.Errorf("after the reaping: %v", err)
	}
}

func TestAnotherProcessWithTheSameNumberIsNotTouched(t *testing.T) {
	cmd := startChild(t)
	current, err := Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for name, stale := range map[string]Identity{
		"started at another time": {PID: current.PID, StartTicks: current.StartTicks - 1, Boot: current.Boot},
		"of another boot":         {PID: current.PID, StartTicks: current.StartTicks, Boot: "00000000-0000-0000-0000-000000000000"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := stale.Open(); !errors.Is(err, ErrGone) {
				t.Errorf("got %v, want that it is gone", err)
			}
		})
	}
}

func TestStartTicks(t *testing.T) {
	rest := " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21"
	for name, test := range map[string]struct {
		stat    string
		want    uint64
		wantErr error
	}{
		"an ordinary name":                 {stat: "12 (node) S" + rest, want: 4711},
		"a name that looks like a process": {stat: "12 (x) Z 1 (y)) R" + rest, want: 4711},
		"a process not yet reaped":         {stat: "12 (node) Z" + rest, wantErr: ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := startTicks(test.stat)
			if got != test.want || !errors.Is(err, test.wantErr) {
				t.Errorf("got %d, %v; want %d, %v", got, err, test.want, test.wantErr)
			}
		})
	}
	for _, bad := range []string{"", "12 (node", "12 (node) S 1 2"} {
		if _, err := startTicks(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestRecordsSurviveSavingAndDamageIsReported(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.json")
	if _, err := LoadRecord(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a record: %v", err)
	}
	want := Record{Node: Identity{PID: 12, StartTicks: 34, Boot: "56"}, Slot: 7}
	if err := want.Save(file); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadRecord(file); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if err := os.WriteFile(file, []byte(`{"node":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadRecord(file); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("damaged record: %v", err)
	}
}

// startChild starts a process that runs until it is killed or the test ends.
func startChild(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "cat")
	stdin, err := cmd.StdinPipe() // kept open: cat waits for input
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.(io.Closer).Close()
		_ = cmd.Wait()
	})
	return cmd
}
