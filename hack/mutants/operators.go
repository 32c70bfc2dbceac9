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

// mutant is one small change to a package.
type mutant struct {
	// id activates it; 0 is the code as it is.
	id int
	// key says in which function what becomes of which code. It outlives edits elsewhere.
	key      string
	position token.Position
}

// finder walks through one file and notes its mutants, with the edits by which all of them are put into the code at once.
type finder struct {
	*source
	file    *file
	edits   []edit
	mutants *[]mutant
	keys    map[string]int
	// function around the node that is looked at.
	function string
}

// mutate returns the mutants of a package, and its files with all of them in place.
func (s *source) mutate() (mutants []mutant, files map[string][]byte) {
	files = map[string][]byte{}
	keys := map[string]int{}
	for _, f := range s.files {
		find := finder{source: s, file: f, mutants: &mutants, keys: keys}
		for _, decl := range f.ast.Decls {
			find.function = nameOf(decl)
			ast.PreorderStack(decl, nil, find.visit)
		}
		files[f.path] = apply(f.text, find.edits)
	}
	return mutants, files
}

func nameOf(decl ast.Decl) string {
	fn, ok := decl.(*ast.FuncDecl)
	if !ok {
		return "package"
	}
	if fn.Recv == nil {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	return types.ExprString(receiver) + "." + fn.Name.Name
}

// add notes a mutant of a node and returns its number.
func (f *finder) add(n ast.Node, change string) int {
	id := len(*f.mutants) + 1
	key := fmt.Sprintf("%s %s: %s: %s", f.name, f.function, f.snippet(n), change)
	f.keys[key]++
	if times := f.keys[key]; times > 1 {
		key += fmt.Sprintf(" (%d)", times)
	}
	*f.mutants = append(*f.mutants, mutant{id, key, f.fset.Position(n.Pos())})
	return id
}

// snippet is the code of a node on one line, cut where it becomes long.
func (f *finder) snippet(n ast.Node) string {
	const longest = 80
	text := strings.Join(strings.Fields(f.code(n)), " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "..."
	}
	return text
}

func (f *finder) code(n ast.Node) string {
	return string(f.file.text[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *finder) visit(n ast.Node, above []ast.Node) bool {
	if f.isNoDecision(n) {
		return false
	}
	var parent ast.Node
	if len(above) > 0 {
		parent = above[len(above)-1]
	}
	switch n := n.(type) {
	case *ast.FuncDecl:
		f.returnAtOnce(n, n.Type, n.Body)
	case *ast.FuncLit:
		f.returnAtOnce(n, n.Type, n.Body)
	case *ast.BasicLit:
		f.literal(n, parent, above)
	case ast.Expr:
		f.expression(n, parent)
	case ast.Stmt:
		f.statement(n, parent)
	}
	return true
}

// isNoDecision says whether a node only words messages, reserves memory or is constant.
func (f *finder) isNoDecision(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Name.Name == "String" || n.Name.Name == "Error" || n.Body == nil
	case *ast.GenDecl:
		return n.Tok == token.CONST || n.Tok == token.IMPORT || n.Tok == token.TYPE
	case *ast.CallExpr:
		switch types.ExprString(n.Fun) {
		case "panic", "make", "fmt.Errorf", "fmt.Sprintf", "errors.New":
			return true
		}
	case *ast.ArrayType:
		return true
	}
	return false
}

// constant says whether the compiler knows the value of an expression.
func (f *finder) constant(e ast.Expr) bool { return f.info.Types[e].Value != nil }

func (f *finder) basic(e ast.Expr) types.BasicInfo {
	if t := f.info.Types[e].Type; t != nil {
		if b, ok := t.Underlying().(*types.Basic); ok {
			return b.Info()
		}
	}
	return 0
}

func (f *finder) expression(e ast.Expr, parent ast.Node) {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if !f.constant(e) {
			f.binary(e)
		}
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); ok {
			f.minOrMax(e, name)
		}
		f.negate(e, parent)
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr:
		f.negate(e, parent)
	}
}

// comparisons have two mutants: at the bound the one decides otherwise, everywhere the other.
var comparisons = map[token.Token]struct {
	helper         string
	bound, negated token.Token
}{
	token.LSS: {"mutantLess", token.LEQ, token.GEQ},
	token.LEQ: {"mutantLessOrEqual", token.LSS, token.GTR},
	token.GTR: {"mutantMore", token.GEQ, token.LEQ},
	token.GEQ: {"mutantMoreOrEqual", token.GTR, token.LSS},
}

var arithmetic = map[token.Token]struct {
	helper string
	other  token.Token
}{
	token.ADD: {"mutantAdd", token.SUB},
	token.SUB: {"mutantSub", token.ADD},
	token.MUL: {"mutantMul", token.QUO},
	token.QUO: {"mutantDiv", token.MUL},
	token.REM: {"mutantRem", token.QUO},
}

func (f *finder) binary(e *ast.BinaryExpr) {
	change := func(to token.Token) string { return e.Op.String() + " to " + to.String() }
	switch {
	case e.Op == token.EQL:
		f.wrapNegated(e, f.add(e, change(token.NEQ)))
	case e.Op == token.NEQ:
		f.wrapNegated(e, f.add(e, change(token.EQL)))
	case e.Op == token.LAND:
		f.logical(e, f.add(e, change(token.LOR)))
	case e.Op == token.LOR:
		f.logical(e, f.add(e, change(token.LAND)))
	case comparisons[e.Op].helper != "":
		c := comparisons[e.Op]
		id := f.add(e, change(c.bound))
		f.add(e, change(c.negated))
		f.call(e, c.helper, id)
	case arithmetic[e.Op].helper != "" && f.basic(e)&types.IsNumeric != 0:
		a := arithmetic[e.Op]
		f.call(e, a.helper, f.add(e, change(a.other)))
	}
}

// call makes a call of a helper from a binary expression.
func (f *finder) call(e *ast.BinaryExpr, helper string, id int) {
	f.before(e.Pos(), fmt.Sprintf("%s(%d, ", helper, id))
	f.replace(e.OpPos, len(e.Op.String()), ", ")
	f.after(e.End(), ")")
}

// wrapNegated negates a boolean if the mutant is active.
func (f *finder) wrapNegated(e ast.Expr, id int) {
	f.before(e.Pos(), "((")
	f.after(e.End(), fmt.Sprintf(") != mutantOn(%d))", id))
}

// logical swaps && and || by De Morgan's law: a || b is !(!a && !b). So what comes second is still only asked where it has to be.
func (f *finder) logical(e *ast.BinaryExpr, id int) {
	on := fmt.Sprintf("!= mutantOn(%d)", id)
	f.before(e.Pos(), "(((")
	f.replace(e.OpPos, len(e.Op.String()), ") "+on+" "+e.Op.String()+" (")
	f.after(e.End(), ") "+on+") "+on+")")
}

func (f *finder) minOrMax(call *ast.CallExpr, name *ast.Ident) {
	_, builtin := f.info.Uses[name].(*types.Builtin)
	others := map[string]string{"min": "max", "max": "min"}
	if !builtin || others[name.Name] == "" || f.constant(call) {
		return
	}
	id := f.add(call, name.Name+" to "+others[name.Name])
	helper := "mutantMin"
	if name.Name == "max" {
		helper = "mutantMax"
	}
	f.replace(name.Pos(), len(name.Name), helper)
	f.before(call.Lparen+1, strconv.Itoa(id)+", ")
}

// negate has a mutant for a boolean that is read, and is no comparison.
func (f *finder) negate(e ast.Expr, parent ast.Node) {
	t := f.info.Types[e]
	if t.Type == nil || !t.IsValue() || f.basic(e)&types.IsBoolean == 0 || !f.isRead(e, parent) {
		return
	}
	if id, ok := e.(*ast.Ident); ok && f.info.Uses[id] == nil {
		return // defined here
	}
	f.wrapNegated(e, f.add(e, "negated"))
}

// isRead says whether the value of an expression is used where it stands.
func (f *finder) isRead(e ast.Expr, parent ast.Node) bool {
	switch p := parent.(type) {
	case *ast.ExprStmt, *ast.Field, *ast.RangeStmt, *ast.DeferStmt, *ast.GoStmt:
		return false
	case *ast.SelectorExpr:
		return false
	case *ast.KeyValueExpr:
		return p.Value == e
	case *ast.AssignStmt:
		return !slices.Contains(p.Lhs, e) && len(p.Lhs) == len(p.Rhs) // not v, ok := m[k]
	case *ast.UnaryExpr:
		return p.Op != token.AND
	}
	return true
}
