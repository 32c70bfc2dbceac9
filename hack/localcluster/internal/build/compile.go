package build

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

// compile builds the recipe's package into the file out and shows how far it got.
func compile(ctx context.Context, r recipe, out string, task *progress.Task) error {
	task.Update("listing packages")
	total, err := countPackages(ctx, r)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-v", "-o", out}, r.args...)
	cmd := goCommand(ctx, r, append(args, r.Package)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	complaints := follow(stderr, total, task)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go build %s in %s: %w\n%s", r.Package, r.dir, err, complaints)
	}
	return nil
}

// follow reads what "go build -v" writes until it ends: one line per package that had to be compiled, one per module
// that is downloaded. All other lines are complaints and returned.
func follow(stderr io.Reader, total int, task *progress.Task) (complaints string) {
	var other strings.Builder
	compiled, downloaded := 0, 0
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "go: downloading "):
			downloaded++
			task.Update("%d modules downloaded", downloaded)
		case isPackage(line):
			compiled++
			task.Update("%d of at most %d packages compiled", compiled, total)
		default:
			fmt.Fprintln(&other, line)
		}
	}
	return other.String()
}

// isPackage tells an import path from a compiler's message.
func isPackage(line string) bool {
	return line != "" && !strings.ContainsAny(line, " \t:#")
}

// countPackages returns how many packages the binary consists of, whether or not Go's own cache holds them.
func countPackages(ctx context.Context, r recipe) (int, error) {
	args := []string{"list", "-deps"}
	if len(r.Tags) > 0 {
		args = append(args, "-tags", strings.Join(r.Tags, " "))
	}
	var complaints bytes.Buffer
	cmd := goCommand(ctx, r, append(args, r.Package)...)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("go list %s in %s: %w\n%s", r.Package, r.dir, err, complaints.String())
	}
	return bytes.Count(out, []byte("\n")), nil
}

func goCommand(ctx context.Context, r recipe, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = r.dir
	// A workspace or a vendor setting of the caller must not change what is built.
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+r.cgo, "GOWORK=off")
	return cmd
}
