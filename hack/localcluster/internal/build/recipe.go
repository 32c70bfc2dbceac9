package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/catalogue"
)

// recipe is all that decides what a component's binary will be.
type recipe struct {
	catalogue.Component
	dir  string   // folder of the pinning module
	args []string // of go build, without the output and the package
	cgo  string   // value of CGO_ENABLED
	key  string   // names the cache entry
}

// formatVersion is part of every key: raise it when the cache entries' content changes by this program's own doing.
const formatVersion = "1"

func newRecipe(c catalogue.Component, dir, toolchain string) (recipe, error) {
	r := recipe{Component: c, dir: dir, cgo: "0"}
	stamps, err := stamps(c, dir)
	if err != nil {
		return recipe{}, err
	}
	ldflags := []string{"-s", "-w"}
	if c.CGO {
		r.cgo = "1"
		ldflags = append(ldflags, "-extldflags", "-static")
	}
	for _, s := range stamps {
		ldflags = append(ldflags, "-X", s)
	}
	r.args = []string{"-trimpath", "-ldflags", strings.Join(ldflags, " ")}
	if len(c.Tags) > 0 {
		r.args = append(r.args, "-tags", strings.Join(c.Tags, " "))
	}
	r.key, err = r.hash(toolchain)
	return r, err
}

// stamps returns the -X settings for the version that the module pins.
func stamps(c catalogue.Component, dir string) ([]string, error) {
	if c.Stamp == nil {
		return nil, nil
	}
	version, err := pinned(filepath.Join(dir, "go.mod"), c.Release)
	if err != nil {
		return nil, err
	}
	return c.Stamp(version), nil
}

// pinned returns the version of a module that a go.mod file requires.
func pinned(gomod, module string) (string, error) {
	content, err := os.ReadFile(gomod)
	if err != nil {
		return "", err
	}
	parsed, err := modfile.ParseLax(gomod, content, nil)
	if err != nil {
		return "", err
	}
	for _, r := range parsed.Require {
		if r.Mod.Path == module {
			return r.Mod.Version, nil
		}
	}
	return "", fmt.Errorf("%s does not require %s: add it with go get", gomod, module)
}

// hash derives the cache key from the toolchain, the flags, the image and the content of the pinning module.
func (r recipe) hash(toolchain string) (string, error) {
	sources, err := filepath.Glob(filepath.Join(r.dir, "*.go"))
	if err != nil {
		return "", err
	}
	sources = append(sources, filepath.Join(r.dir, "go.mod"), filepath.Join(r.dir, "go.sum"))
	slices.Sort(sources)
	contents := map[string]string{}
	for _, file := range sources {
		content, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) { // a module without dependencies has no go.sum
			return "", err
		}
		contents[filepath.Base(file)] = string(content)
	}
	inputs, err := json.Marshal([]any{formatVersion, toolchain, r.Package, r.args, r.cgo, r.Image, contents})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(inputs)
	return hex.EncodeToString(sum[:8]), nil
}

// toolchain describes the Go command that builds in dir: its version, target and settings that change the result.
func toolchain(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOFLAGS", "GOEXPERIMENT")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask the go command in %s for its version: %w", dir, err)
	}
	return string(out), nil
}
