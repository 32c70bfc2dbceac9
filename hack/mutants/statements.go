// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// statement has mutants for what a statement changes: that it is left out, or goes the other way.
func (f *finder) statement(s ast.Stmt, parent ast.Node) {
	if !inList(parent) {
		return // of an if, for or switch: not a statement that can be left out
	}
	switch s := s.(type) {
	case *ast.AssignStmt:
		f.assignment(s)
	case *ast.IncDecStmt:
		other := map[token.Token]token.Token{token.INC: token.DEC, token.DEC: token.INC}[s.Tok]
		id := f.add(s, s.Tok.String()+" to "+other.String())
		f.leaveOut(s, fmt.Sprintf("if mutantOn(%d) { %s%s } else ", id, f.code(s.X), other))
	case *ast.ExprStmt:
		if !f.isNoDecision(s.X) {
			f.leaveOut(s, "")
		}
	case *ast.DeferStmt:
		f.leaveOut(s, "")
	}
}

func inList(parent ast.Node) bool {
	switch parent.(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
		return true
	}
	return false
}

// leaveOut has a mutant without the statement.
func (f *finder) leaveOut(s ast.Stmt, prefix string) {
	id := f.add(s, "left out")
	f.before(s.Pos(), fmt.Sprintf("%sif !mutantOn(%d) { ", prefix, id))
	f.after(s.End(), " }")
}

func (f *finder) assignment(s *ast.AssignStmt) {
	blank, ok := s.Lhs[0].(*ast.Ident)
	if s.Tok == token.DEFINE || ok && blank.Name == "_" {
		return
	}
	f.leaveOut(s, "")
	others := map[token.Token]token.Token{token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN}
	other, right := others[s.Tok], s.Rhs[0]
	if other == token.ILLEGAL || f.basic(s.Lhs[0])&types.IsNumeric == 0 {
		return
	}
	id := f.add(s, s.Tok.String()+" to "+other.String())
	if !f.constant(right) {
		f.before(right.Pos(), fmt.Sprintf("mutantSign(%d, ", id))
		f.after(right.End(), ")")
	} else if t := f.typeName(f.info.Types[right].Type); t != "" {
		f.before(right.Pos(), fmt.Sprintf("mutantSign(%d, %s(", id, t))
		f.after(right.End(), "))")
	}
}

// returnAtOnce has a mutant in which a function does nothing, and returns zero values.
func (f *finder) returnAtOnce(n ast.Node, t *ast.FuncType, body *ast.BlockStmt) {
	if len(body.List) == 0 {
		return
	}
	var zeros []string
	if t.Results != nil {
		for _, r := range t.Results.List {
			if len(r.Names) == 0 {
				zeros = append(zeros, "*new("+f.code(r.Type)+")")
			}
		}
	}
	if f.returnsZeros(body) {
		return
	}
	id := f.add(signature{n, t}, "returns at once")
	f.before(body.Lbrace+1, fmt.Sprintf(" if mutantOn(%d) { return %s }; ", id, strings.Join(zeros, ", ")))
}

// signature is a function without its body.
type signature struct {
	ast.Node
	t *ast.FuncType
}

// End of the function's type.
func (s signature) End() token.Pos { return s.t.End() }

// returnsZeros says whether all that a function does is to return zero values.
func (f *finder) returnsZeros(body *ast.BlockStmt) bool {
	ret, ok := body.List[0].(*ast.ReturnStmt)
	if !ok {
		return false
	}
	for _, e := range ret.Results {
		switch f.code(e) {
		case "0", "nil", "false", `""`:
		default:
			return false
		}
	}
	return true
}
