// Package progress shows what a long command is doing: one line per task, with its duration. On a terminal the line of
// the running task is redrawn in place; elsewhere (a log, CI) a heartbeat line is written every few seconds.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Heartbeat is the longest silence of a running task when the output is not a terminal.
const Heartbeat = 10 * time.Second

// redraw is how often the line of a running task is drawn again on a terminal.
const redraw = 500 * time.Millisecond

// clearLine moves to the start of the terminal's line and empties it.
const clearLine = "\r\x1b[K"

// Printer writes the progress of tasks. Tasks of one Printer run one after the other.
type Printer struct {
	w        io.Writer
	terminal bool
	every    time.Duration
}

// New returns a Printer that writes to f and redraws lines when f is a terminal.
func New(f *os.File) *Printer {
	if term.IsTerminal(int(f.Fd())) {
		return &Printer{w: f, terminal: true, every: redraw}
	}
	return &Printer{w: f, every: Heartbeat}
}

// NewLog returns a Printer that writes plain lines to w, for output that is not a terminal.
func NewLog(w io.Writer) *Printer {
	return &Printer{w: w, every: Heartbeat}
}

// Note writes one line outside any task.
func (p *Printer) Note(format string, args ...any) {
	p.write(fmt.Sprintf(format, args...) + "\n")
}

// write drops errors: progress that cannot be shown is no reason to stop.
func (p *Printer) write(text string) { _, _ = io.WriteString(p.w, text) }

// Start begins a task. The caller must end it with Done or Fail.
func (p *Printer) Start(name string) *Task {
	t := &Task{printer: p, name: name, started: time.Now(), ended: make(chan struct{})}
	t.ticking.Go(t.tick)
	return t
}

// Run runs f as a task; an error ends the task as failed and is returned with the task's name.
func (p *Printer) Run(name string, f func(*Task) error) error {
	t := p.Start(name)
	if err := f(t); err != nil {
		t.Fail()
		return fmt.Errorf("%s: %w", name, err)
	}
	t.Done("")
	return nil
}

// Task is one step that is being shown.
type Task struct {
	printer *Printer
	name    string
	started time.Time
	ended   chan struct{}
	ticking sync.WaitGroup

	mu     sync.Mutex
	detail string
}

// Update sets what is shown beside the task from now on. It may be called often: it does not write.
func (t *Task) Update(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.detail = fmt.Sprintf(format, args...)
}

// Done ends the task and writes its line for good.
func (t *Task) Done(detail string) { t.end("ok", detail) }

// Fail ends the task as failed; the reason is the caller's to report.
func (t *Task) Fail() { t.end("FAILED", "") }

func (t *Task) end(mark, detail string) {
	close(t.ended)
	t.ticking.Wait()
	t.write(mark, detail, true)
}

func (t *Task) tick() {
	ticker := time.NewTicker(t.printer.every)
	defer ticker.Stop()
	for {
		select {
		case <-t.ended:
			return
		case <-ticker.C:
			t.mu.Lock()
			detail := t.detail
			t.mu.Unlock()
			t.write("...", detail, false)
		}
	}
}

func (t *Task) write(mark, detail string, final bool) {
	line := fmt.Sprintf("  %-26s %7s  %-6s %s", t.name, Elapsed(time.Since(t.started)), mark, detail)
	switch {
	case !t.printer.terminal:
		t.printer.write(line + "\n")
	case final:
		t.printer.write(clearLine + line + "\n")
	default:
		t.printer.write(clearLine + line)
	}
}

// Elapsed formats a duration for people: tenths of a second below one minute, minutes and seconds above.
func Elapsed(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}
