package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Identity names one process for good. A pid alone does not: after the process has ended, another may get its number.
type Identity struct {
	PID int `json:"pid"`
	// StartTicks is when the process started, in clock ticks since the boot named by Boot.
	StartTicks uint64 `json:"startTicks"`
	Boot       string `json:"boot"`
}

// ErrGone says that the process has ended.
var ErrGone = errors.New("the process has ended")

// Identify returns the identity of the process that has the number pid now, or ErrGone.
func Identify(pid int) (Identity, error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return Identity{}, ErrGone
	}
	if err != nil {
		return Identity{}, err
	}
	ticks, err := startTicks(string(stat))
	if err != nil {
		return Identity{}, err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Identity{}, err
	}
	return Identity{PID: pid, StartTicks: ticks, Boot: string(bytes.TrimSpace(boot))}, nil
}

// startTicks reads field 22 of /proc/PID/stat; one of a process that only waits to be reaped counts as gone.
func startTicks(stat string) (uint64, error) {
	_, afterName, found := strings.Cut(stat[max(0, strings.LastIndexByte(stat, ')')):], " ") // the name may hold anything
	fields := strings.Fields(afterName)
	const state, start = 0, 19 // the fields after the name begin with number 3
	if !found || len(fields) <= start {
		return 0, fmt.Errorf("unexpected content of /proc/PID/stat: %q", stat)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return 0, ErrGone
	}
	return strconv.ParseUint(fields[start], 10, 64)
}

// Process is a handle on one process, which stays valid whoever gets its number later.
type Process struct{ fd int }

// Open returns a handle on the process, or ErrGone if it has ended, its number reused or not.
func (i Identity) Open() (*Process, error) {
	fd, err := unix.PidfdOpen(i.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", i.PID, err)
	}
	p := &Process{fd}
	// Compared after opening, so that the handle is known to be on that very process.
	current, err := Identify(i.PID)
	if err == nil && current != i {
		err = ErrGone
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close releases the handle.
func (p *Process) Close() { _ = unix.Close(p.fd) }

// Kill ends the process and waits up to patience until it has. If it is the first of a process namespace, all others
// in it have ended by then as well.
func (p *Process) Kill(patience time.Duration) error {
	if err := unix.PidfdSendSignal(p.fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill the node: %w", err)
	}
	deadline := time.Now().Add(patience)
	for {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait for the node's end: %w", err)
		case ready == 0:
			return fmt.Errorf("the node has not ended %s after it was killed", patience)
		}
		return nil
	}
}

// Record is what is remembered about a running node.
type Record struct {
	Node Identity `json:"node"`
	Slot int      `json:"slot"`
}

// Save writes the record in one step.
func (r Record) Save(path string) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// LoadRecord reads a record; the error is os.ErrNotExist when there is none.
func LoadRecord(path string) (Record, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Record{}, err
	}
	var r Record
	if err := json.Unmarshal(content, &r); err != nil {
		return Record{}, fmt.Errorf("%s is damaged: %w; remove it", path, err)
	}
	return r, nil
}
