// SPDX-License-Identifier: Apache-2.0

package links

import (
	"bytes"
	"encoding/json"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// place is what a byte of the document belongs to.
type place uint8

const (
	elsewhere place = iota
	insideLink
	endOfLink
)

// scanner finds the strings at the places of a tree in a JSON document, byte by byte. It keeps frames only for places on the way to a link; deeper ones are
// counted. It does not check the document: of text that is no JSON it may find too little, and what it takes for a link is changed only if it leads to the CRM.
type scanner struct {
	stack []frame
	// skipped is how deep the scanner is inside a container that holds no link.
	skipped int

	text    text
	escaped bool   // the last byte was a backslash inside a string
	name    []byte // of a member, quoted, while it is read
}

// frame is an open container on the way to a link, or the document itself.
type frame struct {
	// value is the place of the next value; nil if there can be no link below it. It changes with each member of an object and stays in an array.
	value *node
	// members are the places of an object's members; nil for other frames.
	members  map[string]*node
	isObject bool
	wantName bool // the next string is a member's name
}

// text is what kind of string is being read.
type text uint8

const (
	noText text = iota
	plainText
	nameText
	linkText
)

// next takes a byte and says where it belongs.
func (s *scanner) next(b byte) place {
	if s.text != noText {
		return s.insideText(b)
	}
	switch b {
	case '"':
		return s.openText()
	case '{', '[':
		s.open(b == '{')
	case '}', ']':
		s.close()
	case ',':
		if top := s.top(); top != nil && top.isObject {
			top.wantName, top.value = true, nil
		}
	}
	return elsewhere
}

// top is the innermost frame, nil while skipping.
func (s *scanner) top() *frame {
	if s.skipped > 0 {
		return nil
	}
	return &s.stack[len(s.stack)-1]
}

func (s *scanner) open(isObject bool) {
	top := s.top()
	switch {
	case top == nil || top.value == nil:
		s.skipped++
	case isObject:
		s.stack = append(s.stack, frame{members: top.value.children, isObject: true, wantName: true})
	default:
		s.stack = append(s.stack, frame{value: top.value.children[dialect.Each]})
	}
}

func (s *scanner) close() {
	switch {
	case s.skipped > 0:
		s.skipped--
	case len(s.stack) > 1:
		s.stack = s.stack[:len(s.stack)-1]
	}
}

func (s *scanner) openText() place {
	s.text = plainText
	top := s.top()
	switch {
	case top == nil:
	case top.isObject && top.wantName:
		s.text, s.name = nameText, append(s.name[:0], '"')
	case top.value != nil && top.value.isLink:
		s.text = linkText
		return insideLink
	}
	return elsewhere
}

func (s *scanner) insideText(b byte) place {
	kind := s.text
	ends := b == '"' && !s.escaped
	s.escaped = b == '\\' && !s.escaped
	if kind == nameText && len(s.name) <= maxName {
		s.name = append(s.name, b)
	}
	if ends {
		s.text = noText
	}
	switch {
	case kind == nameText && ends:
		s.named()
	case kind == linkText && ends:
		return endOfLink
	case kind == linkText:
		return insideLink
	}
	return elsewhere
}

// named ends a member's name.
func (s *scanner) named() {
	top := s.top()
	top.wantName, top.value = false, nil
	if bytes.IndexByte(s.name, '\\') < 0 {
		top.value = top.members[string(s.name[1:len(s.name)-1])]
		return
	}
	var name string
	if json.Unmarshal(s.name, &name) == nil {
		top.value = top.members[name]
	}
}

// letGo goes on with the current link as with any other string.
func (s *scanner) letGo() { s.text = plainText }
