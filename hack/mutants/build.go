// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed schemata.go.txt
var schemata string

// binary is the test binary of a package with all its mutants.
type binary struct {
	path    string
	dir     string
	scratch string
	rapid   bool
}

// build compiles the tests of a package with the changed files in place of those in the tree, which stays as it is.
func build(ctx context.Context, s *source, files map[string][]byte, mutants int, scratch string) (binary, error) {
	helpers := strings.NewReplacer("PACKAGE", s.name, "MUTANTS", strconv.Itoa(mutants)).Replace(schemata)
	files[filepath.Join(s.dir, "mutants_schemata.go")] = []byte(helpers)
	b := binary{path: filepath.Join(scratch, "tests"), dir: s.dir, scratch: scratch, rapid: s.usesRapid}
	return b, compile(ctx, s.dir, files, scratch, b.path)
}

// compile builds a test binary with some files replaced.
func compile(ctx context.Context, dir string, files map[string][]byte, scratch, out string) error {
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range files {
		replacement := filepath.Join(scratch, filepath.Base(path))
		if err := os.WriteFile(replacement, text, 0o644); err != nil {
			return err
		}
		overlay.Replace[path] = replacement
	}
	encoded, err := json.Marshal(overlay)
	if err != nil {
		return err
	}
	list := filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(list, encoded, 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", list, "-o", out, ".")
	cmd.Dir = dir
	if message, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go test -c: %w\n%s", err, message)
	}
	return nil
}
