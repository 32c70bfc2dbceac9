// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"go/token"
	"slices"
)

// edit puts text at an offset, in place of so many bytes. No edit has a line break, so lines keep their numbers.
type edit struct {
	offset, length int
	text           string
	// closes: the text ends something. At one offset what ends comes before what begins, and ends in the opposite order of its begin.
	closes bool
}

func (f *finder) before(p token.Pos, text string) {
	f.edits = append(f.edits, edit{offset: f.offset(p), text: text})
}

func (f *finder) after(p token.Pos, text string) {
	f.edits = append(f.edits, edit{offset: f.offset(p), text: text, closes: true})
}

func (f *finder) replace(p token.Pos, length int, text string) {
	f.edits = append(f.edits, edit{offset: f.offset(p), length: length, text: text})
}

// apply makes the edits, which are in the order in which the nodes around them begin.
func apply(text []byte, edits []edit) (edited []byte) {
	order := make([]int, len(edits))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := edits[i], edits[j]
		switch {
		case a.offset != b.offset:
			return cmp.Compare(a.offset, b.offset)
		case a.closes && b.closes:
			return cmp.Compare(j, i)
		case a.closes != b.closes:
			if a.closes {
				return -1
			}
			return 1
		default:
			return cmp.Compare(i, j)
		}
	})
	from := 0
	for _, i := range order {
		e := edits[i]
		edited = append(edited, text[from:e.offset]...)
		edited = append(edited, e.text...)
		from = e.offset + e.length
	}
	return append(edited, text[from:]...)
}
