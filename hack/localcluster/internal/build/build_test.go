package build

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/image"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

// hello is a component whose module needs no other: it can be built anywhere, in a second.
var hello = catalogue.Component{Name: "hello", Module: "hello", Package: "."}

const helloSource = `package main

import "fmt"

var greeting = "hello"

func main() { fmt.Println(greeting) }
`

func TestABuiltComponentIsLinkedAndNotBuiltAgain(t *testing.T) {
	paths := newRepository(t, helloSource)
	if log := ensure(t, paths, hello); !strings.Contains(log, "1 built, 0 taken from the cache") {
		t.Errorf("first run:\n%s", log)
	}
	if got := output(t, filepath.Join(paths.Binaries, "hello")); got != "hello\n" {
		t.Errorf("the linked program says %q", got)
	}
	if log := ensure(t, paths, hello); !strings.Contains(log, "0 built, 1 taken from the cache") {
		t.Errorf("second run:\n%s", log)
	}
}

func TestAChangedSourceIsBuiltAndTheOldOneComesBackFromTheCache(t *testing.T) {
	paths := newRepository(t, helloSource)
	ensure(t, paths, hello)
	writeModule(t, paths, strings.Replace(helloSource, `"hello"`, `"good day"`, 1))
	ensure(t, paths, hello)
	if got := output(t, filepath.Join(paths.Binaries, "hello")); got != "good day\n" {
		t.Errorf("after the change the program says %q", got)
	}
	writeModule(t, paths, helloSource)
	if log := ensure(t, paths, hello); !strings.Contains(log, "1 taken from the cache") {
		t.Errorf("after changing back:\n%s", log)
	}
	if got := output(t, filepath.Join(paths.Binaries, "hello")); got != "hello\n" {
		t.Errorf("after changing back the program says %q", got)
	}
}

func TestBuildersAtTheSameTimeCompileOnce(t *testing.T) {
	paths := newRepository(t, helloSource)
	other := paths
	other.Binaries = filepath.Join(t.TempDir(), "k8s") // another checkout with the same cache
	var building sync.WaitGroup
	logs := make([]string, 2)
	for i, p := range []layout.Paths{paths, other} {
		building.Go(func() { logs[i] = ensure(t, p, hello) })
	}
	building.Wait()
	if built := strings.Count(logs[0]+logs[1], "1 built, 0 taken"); built != 1 {
		t.Errorf("compiled %d times:\n%s%s", built, logs[0], logs[1])
	}
	for _, p := range []layout.Paths{paths, other} {
		if got := output(t, filepath.Join(p.Binaries, "hello")); got != "hello\n" {
			t.Errorf("%s says %q", p.Binaries, got)
		}
	}
}

func TestABrokenSourceIsReportedAndNotCached(t *testing.T) {
	paths := newRepository(t, "package main\n\nfunc main() { undefinedThing() }\n")
	var log bytes.Buffer
	builder := Builder{Paths: paths, Printer: progress.NewLog(&log)}
	err := builder.Ensure(t.Context(), []catalogue.Component{hello})
	if err == nil || !strings.Contains(err.Error(), "main.go:3:15: undefined: undefinedThing") {
		t.Errorf("got %v, want the compiler's message", err)
	}
	if _, err := os.Lstat(filepath.Join(paths.Binaries, "hello")); !os.IsNotExist(err) {
		t.Errorf("a link was made: %v", err)
	}
	writeModule(t, paths, helloSource)
	ensure(t, paths, hello)
	if got := output(t, filepath.Join(paths.Binaries, "hello")); got != "hello\n" {
		t.Errorf("after mending the program says %q", got)
	}
}

func TestAContainersBinaryIsPackedIntoAnImage(t *testing.T) {
	paths := newRepository(t, helloSource)
	packed := hello
	packed.Image = &image.Config{Tag: "localhost/hello:dev"}
	ensure(t, paths, packed)
	info, err := os.Stat(layout.ImageFile(paths.Binaries, "hello"))
	if err != nil || info.Size() < 1<<20 {
		t.Errorf("the image is %+v (%v)", info, err)
	}
}

func TestTheKeyDependsOnEverythingThatDecidesTheResult(t *testing.T) {
	paths := newRepository(t, helloSource)
	dir := paths.Module("hello")
	key := func(c catalogue.Component, toolchain string) string {
		r, err := newRecipe(c, dir, toolchain)
		if err != nil {
			t.Fatal(err)
		}
		return r.key
	}
	base := key(hello, "go1 amd64")
	if again := key(hello, "go1 amd64"); again != base {
		t.Errorf("the same input gives %s and %s", base, again)
	}
	variants := map[string]string{"another toolchain": key(hello, "go2 amd64")}
	for name, change := range map[string]func(*catalogue.Component){
		"another package": func(c *catalogue.Component) { c.Package = "./other" },
		"build tags":      func(c *catalogue.Component) { c.Tags = []string{"seccomp"} },
		"cgo":             func(c *catalogue.Component) { c.CGO = true },
		"an image":        func(c *catalogue.Component) { c.Image = &image.Config{Tag: "a:b"} },
	} {
		changed := hello
		change(&changed)
		variants[name] = key(changed, "go1 amd64")
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), []byte("# none\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	variants["another go.sum"] = key(hello, "go1 amd64")
	seen := map[string]string{base: "the base"}
	for name, k := range variants {
		if twin, found := seen[k]; found {
			t.Errorf("%s gives the key of %s", name, twin)
		}
		seen[k] = name
	}
}

func TestTheStampedVersionIsThePinnedOne(t *testing.T) {
	paths := newRepository(t, helloSource)
	gomod := "module hello\n\ngo 1.26.0\n\nrequire example.test/release v1.2.3 // indirect\n"
	if err := os.WriteFile(filepath.Join(paths.Module("hello"), "go.mod"), []byte(gomod), 0o644); err != nil {
		t.Fatal(err)
	}
	stamped := hello
	stamped.Release = "example.test/release"
	stamped.Stamp = func(v string) []string { return []string{"main.greeting=" + v} }
	r, err := newRecipe(stamped, paths.Module("hello"), "go1")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(r.args, " "), "-trimpath -ldflags -s -w -X main.greeting=v1.2.3"; got != want {
		t.Errorf("arguments %q, want %q", got, want)
	}
	stamped.Release = "example.test/absent"
	if _, err := newRecipe(stamped, paths.Module("hello"), "go1"); err == nil || !strings.Contains(err.Error(), "does not require example.test/absent") {
		t.Errorf("a release that is not pinned: %v", err)
	}
}

func TestFollowCountsPackagesAndKeepsComplaints(t *testing.T) {
	printer := progress.NewLog(&bytes.Buffer{})
	task := printer.Start("test")
	defer task.Done("")
	stderr := "go: downloading k8s.io/api v0.37.1\nk8s.io/api/core/v1\n# example.test/app\n./main.go:3:15: undefined: x\nfmt\n"
	got := follow(strings.NewReader(stderr), 100, task)
	if want := "# example.test/app\n./main.go:3:15: undefined: x\n"; got != want {
		t.Errorf("complaints %q, want %q", got, want)
	}
}

// newRepository makes a repository with the module hello, and an empty cache.
func newRepository(t *testing.T, source string) layout.Paths {
	t.Helper()
	t.Setenv("GOFLAGS", "-mod=mod -buildvcs=false")
	root := t.TempDir()
	paths := layout.Paths{Root: root, Binaries: filepath.Join(root, "bin", "k8s"), Cache: filepath.Join(root, "cache")}
	writeModule(t, paths, source)
	return paths
}

func writeModule(t *testing.T, paths layout.Paths, source string) {
	t.Helper()
	dir := paths.Module("hello")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"go.mod": "module hello\n\ngo 1.26.0\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// ensure builds the component and returns what was shown.
func ensure(t *testing.T, paths layout.Paths, c catalogue.Component) string {
	t.Helper()
	var log bytes.Buffer
	builder := Builder{Paths: paths, Printer: progress.NewLog(&log)}
	if err := builder.Ensure(t.Context(), []catalogue.Component{c}); err != nil {
		t.Error(err)
	}
	return log.String()
}

func output(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
