// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// source is a package with types, as the compiler sees it.
type source struct {
	dir, name  string
	importPath string
	// usesRapid: the tests draw at random, and know the flags of pgregory.net/rapid.
	usesRapid bool
	fset      *token.FileSet
	files     []*file
	info      *types.Info
	types     *types.Package
}

type file struct {
	path string
	text []byte
	ast  *ast.File
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Name, Dir, Export        string
	GoFiles, TestImports, XTestImports   []string
	CgoFiles, EmbedFiles, IgnoredGoFiles []string
}

func goList(ctx context.Context, dir string, args ...string) (packages []listed, err error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-json"}, args...)...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// load parses and type-checks the package in a folder, without its tests.
func load(ctx context.Context, dir string) (*source, error) {
	packages, err := goList(ctx, dir, "-export", "-deps", ".")
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	p := packages[len(packages)-1] // dependencies come first
	s := &source{
		dir: p.Dir, name: p.Name, importPath: p.ImportPath, fset: token.NewFileSet(),
		usesRapid: slices.Contains(slices.Concat(p.TestImports, p.XTestImports), "pgregory.net/rapid"),
		info:      &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}},
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		f := &file{path: filepath.Join(p.Dir, name)}
		if f.text, err = os.ReadFile(f.path); err != nil {
			return nil, err
		}
		if f.ast, err = parser.ParseFile(s.fset, f.path, f.text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return nil, err
		}
		files = append(files, f.ast)
		if !ast.IsGenerated(f.ast) {
			s.files = append(s.files, f)
		}
	}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	config := types.Config{Importer: importer.ForCompiler(s.fset, "gc", lookup)}
	s.types, err = config.Check(p.ImportPath, s.fset, files, s.info)
	return s, err
}
