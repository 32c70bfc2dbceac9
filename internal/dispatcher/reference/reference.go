// SPDX-License-Identifier: Apache-2.0

// Package reference is how a queued call names what the CRM will answer to an earlier one: (crmquota:<id>:<field>) stands for a member of the answer's JSON, as a
// whole string of a JSON body or in the path, until the call is sent.
package reference

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// sign begins what only a reference can be.
const sign = "crmquota:"

const (
	idSyntax    = `([0-9A-HJKMNP-TV-Z]{26})`
	fieldSyntax = `([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)`
)

var (
	inBody = regexp.MustCompile(`^\(` + sign + idSyntax + `:` + fieldSyntax + `\)$`)
	// Libraries encode some of the marks in a path, and servers read both forms as the same.
	inPath = regexp.MustCompile(`(?:\(|%28)crmquota(?::|%3[Aa])` + idSyntax + `(?::|%3[Aa])` + fieldSyntax + `(?:\)|%29)`)
	// signInTarget finds what looks like a reference and is none.
	signInTarget = regexp.MustCompile(`crmquota(?::|%3[Aa])`)
)

// Error says why a call's references cannot be filled.
type Error struct {
	// ID is the call that is referred to.
	ID call.ID
	// Problem goes on after the call's name. It holds nothing of any body.
	Problem string
}

func (e *Error) Error() string { return fmt.Sprintf("it refers to call %s, %s", e.ID, e.Problem) }

// Find returns the calls that the path and a JSON body refer to. Its error says in words what looks like a reference and cannot be filled.
func Find(target string, body []byte, isJSON bool) (ids []call.ID, err error) {
	path, query, _ := strings.Cut(target, "?")
	for _, found := range inPath.FindAllStringSubmatch(path, -1) {
		ids = append(ids, call.ID(found[1]))
	}
	if signInTarget.MatchString(inPath.ReplaceAllLiteralString(path, "")) || signInTarget.MatchString(query) {
		return nil, errors.New("what stands for another call's answer in the target must be (crmquota:<id>:<field>), and in the path")
	}
	if !isJSON || len(body) == 0 {
		return ids, nil
	}
	if !json.Valid(body) {
		return nil, errors.New("the body is not JSON, as its Content-Type says")
	}
	err = eachIn(body, func(s span) error {
		ids = append(ids, s.id)
		return nil
	})
	return ids, err
}

// Sample is a target or a decoded path in which "1" stands for each reference: the call is named and priced by it until it is known what the CRM has answered.
func Sample(target string) string {
	path, query, some := strings.Cut(target, "?")
	path = inPath.ReplaceAllLiteralString(path, "1")
	if some {
		path += "?" + query
	}
	return path
}

// Answers returns the body of the CRM's answer to a call. Errors are passed on by who fills.
type Answers func(call.ID) ([]byte, error)

// Target fills the path of a target. A value there is an *Error unless it is of letters, digits, "-" and "_" with a digit among them: what a CRM names its records
// by, and never a way into another path or to another operation.
func Target(target string, answers Answers) (string, error) {
	path, query, some := strings.Cut(target, "?")
	var problem error
	path = inPath.ReplaceAllStringFunc(path, func(text string) string {
		found := inPath.FindStringSubmatch(text)
		id, field := call.ID(found[1]), found[2]
		value, err := scalar(id, field, answers)
		name := fmt.Sprint(value)
		if err == nil && !names(name) {
			err = &Error{id, field + " of whose answer cannot stand in a path: it is not of letters, digits, - and _ with a digit among them"}
		}
		if err != nil && problem == nil {
			problem = err
		}
		return name
	})
	if problem != nil {
		return target, problem
	}
	if some {
		path += "?" + query
	}
	return path, nil
}

// names says whether a value can be the name of a record.
func names(value string) bool {
	const letters, digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_", "0123456789"
	return strings.Trim(value, letters+digits) == "" && strings.ContainsAny(value, digits)
}

// Body fills a JSON body; the rest of it stays byte for byte.
func Body(body []byte, answers Answers) ([]byte, error) {
	var out bytes.Buffer
	copied := 0
	err := eachIn(body, func(s span) error {
		value, err := scalar(s.id, s.field, answers)
		if err != nil {
			return err
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return err
		}
		out.Write(body[copied:s.start])
		out.Write(encoded)
		copied = s.end
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Write(body[copied:])
	return out.Bytes(), nil
}

// span is a reference in a body, quotes included.
type span struct {
	start, end int
	id         call.ID
	field      string
}

// eachIn visits the references in a JSON body in their order. A string that holds the sign of one and is none is an error: the CRM would be sent it.
func eachIn(body []byte, visit func(span) error) error {
	tokens := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := tokens.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		text, isString := token.(string)
		if !isString || !strings.Contains(text, "("+sign) {
			continue
		}
		end := int(tokens.InputOffset())
		start := end - len(`""`) - len(text)
		found := inBody.FindStringSubmatch(text)
		// A name of a member cannot be filled, and one with escapes has another length than it shows.
		if found == nil || start < 0 || string(body[start:end]) != `"`+text+`"` || bytes.HasPrefix(bytes.TrimLeft(body[end:], " \t\r\n"), []byte(":")) {
			return errors.New("what stands for another call's answer in the body must be a whole string, (crmquota:<id>:<field>), and no member's name")
		}
		if err := visit(span{start, end, call.ID(found[1]), found[2]}); err != nil {
			return err
		}
	}
}

// scalar is a member of an answer, by the names and places on the way to it: a string, a number with all its digits, or a truth value.
func scalar(id call.ID, field string, answers Answers) (any, error) {
	body, err := answers(id)
	if err != nil {
		return nil, err
	}
	missing := &Error{id, "whose answer has no text, number or truth value at " + field}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil, missing
	}
	for name := range strings.SplitSeq(field, ".") {
		switch of := value.(type) {
		case map[string]any:
			value = of[name]
		case []any:
			place, err := strconv.ParseUint(name, 10, 31)
			if err != nil || place >= uint64(len(of)) {
				return nil, missing
			}
			value = of[place]
		default:
			return nil, missing
		}
	}
	switch value.(type) {
	case string, json.Number, bool:
		return value, nil
	default:
		return nil, missing
	}
}
