// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// literal has mutants for a number: one more, one less, none. Numbers in constant expressions are units of time or sizes, which only tune.
func (f *finder) literal(lit *ast.BasicLit, parent ast.Node, above []ast.Node) {
	others := f.otherValues(lit)
	t := f.typeName(f.info.Types[lit].Type)
	if len(others) == 0 || t == "" {
		return
	}
	// The sign of -1 belongs to it; then what is around both counts.
	if sign, ok := parent.(*ast.UnaryExpr); ok && len(above) > 1 {
		parent = above[len(above)-2]
		if !f.constant(sign) {
			return
		}
	}
	if e, ok := parent.(ast.Expr); ok && f.constant(e) {
		return
	}
	if kv, ok := parent.(*ast.KeyValueExpr); ok && kv.Key == ast.Expr(lit) {
		return
	}
	first := 0
	for i, value := range others {
		id := f.add(f.context(lit, above), lit.Value+" to "+value)
		if i == 0 {
			first = id
		}
		others[i] = t + "(" + value + ")"
	}
	f.before(lit.Pos(), fmt.Sprintf("mutantConst(%d, %s(", first, t))
	f.after(lit.End(), "), "+strings.Join(others, ", ")+")")
}

// context is a node around a literal that says more than the literal alone.
func (f *finder) context(lit *ast.BasicLit, above []ast.Node) ast.Node {
	for _, n := range slices.Backward(above) {
		switch n.(type) {
		case *ast.UnaryExpr, *ast.ParenExpr:
			continue
		case *ast.BlockStmt, *ast.CaseClause, *ast.CompositeLit, *ast.FuncLit, *ast.RangeStmt, *ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt:
			return lit
		default:
			return n
		}
	}
	return lit
}

func (f *finder) otherValues(lit *ast.BasicLit) (values []string) {
	switch lit.Kind {
	case token.INT:
		n, err := strconv.ParseInt(lit.Value, 0, 32)
		if err != nil {
			return nil // too large for one more or less to matter
		}
		values = []string{strconv.FormatInt(n+1, 10)}
		if n > 0 || f.basic(lit)&types.IsUnsigned == 0 {
			values = append(values, strconv.FormatInt(n-1, 10))
		}
		if n > 1 {
			values = append(values, "0")
		}
	case token.FLOAT:
		if n, err := strconv.ParseFloat(lit.Value, 64); err == nil && n != 0 {
			values = []string{"0"}
		} else if err == nil {
			values = []string{"1"}
		}
	default:
	}
	return values
}

// typeName is how the file can write the type of a number, empty if it cannot.
func (f *finder) typeName(t types.Type) string {
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		return ""
	}
	known := true
	name := types.TypeString(t, func(p *types.Package) string {
		if p == f.types {
			return ""
		}
		known = known && f.imports(p.Path())
		return p.Name()
	})
	if !known || f.basic2(t)&types.IsNumeric == 0 {
		return ""
	}
	return strings.TrimPrefix(name, ".")
}

func (f *finder) basic2(t types.Type) types.BasicInfo {
	if b, ok := t.Underlying().(*types.Basic); ok {
		return b.Info()
	}
	return 0
}

func (f *finder) imports(path string) bool {
	for _, i := range f.file.ast.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil && p == path && i.Name == nil {
			return true
		}
	}
	return false
}
