// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// errSnapshot is all that can be said of bytes that are no snapshot.
var errSnapshot = errors.New("forecast: not a snapshot of this kind and version, or damaged")

// writer appends figures, as coarse as they are good for.
type writer struct{ bytes []byte }

func (w *writer) number(n uint8)   { w.bytes = append(w.bytes, n) }
func (w *writer) integer(n uint64) { w.bytes = binary.AppendUvarint(w.bytes, n) }

// figure keeps 8 significant bits and every magnitude.
func (w *writer) figure(x float64) {
	bits := math.Float32bits(float32(x))
	w.bytes = binary.BigEndian.AppendUint16(w.bytes, uint16((uint64(bits)+1<<15)>>16))
}

func (w *writer) figures(of []float32) {
	for _, x := range of {
		w.figure(float64(x))
	}
}

// Weights are kept in one byte, to a twelfth of an octave from 2^-10 to 2^11, and 0.
const weightSteps, leastWeight = 12, -10

func (w *writer) weight(x float32) {
	if x <= 0 {
		w.number(0)
		return
	}
	w.number(uint8(max(0, min(math.Round((math.Log2(float64(x))-leastWeight)*weightSteps)+1, 255))))
}

// seal puts a check sum at the end of what was written from start on.
func (w *writer) seal(start int) []byte {
	return binary.BigEndian.AppendUint32(w.bytes, crc32.ChecksumIEEE(w.bytes[start:]))
}

// reader reads what a writer wrote. After something that was not written by one, ok is false and figures are 0.
type reader struct {
	bytes []byte
	ok    bool
}

// unseal returns a reader of sealed bytes that begin with this kind.
func unseal(bytes []byte, kind uint8) reader {
	n := len(bytes) - crc32.Size
	if n < 1 || bytes[0] != kind || binary.BigEndian.Uint32(bytes[n:]) != crc32.ChecksumIEEE(bytes[:n]) {
		return reader{}
	}
	return reader{bytes[1:n], true}
}

func (r *reader) take(n int) []byte {
	if !r.ok || len(r.bytes) < n {
		r.ok = false
		return make([]byte, n)
	}
	taken := r.bytes[:n]
	r.bytes = r.bytes[n:]
	return taken
}

func (r *reader) number() uint8 { return r.take(1)[0] }

func (r *reader) integer() uint64 {
	x, n := binary.Uvarint(r.bytes)
	if !r.ok || n <= 0 {
		r.ok = false
		return 0
	}
	r.bytes = r.bytes[n:]
	return x
}

// figure reads one of some range.
func (r *reader) figure(least, most float64) float64 {
	x := float64(math.Float32frombits(uint32(binary.BigEndian.Uint16(r.take(2))) << 16))
	if !(x >= least && x <= most*(1+coarse)) {
		r.ok = false
		return 0
	}
	return min(x, most)
}

// coarse is by what part a figure may have been rounded up.
const coarse = 1. / 128

func (r *reader) figures(to []float32, least, most float64) {
	for i := range to {
		to[i] = float32(r.figure(least, most))
	}
}

func (r *reader) weight() float32 {
	n := r.number()
	if n == 0 {
		return 0
	}
	return float32(math.Exp2(float64(n-1)/weightSteps + leastWeight))
}

// done says whether everything was read, and nothing else was there.
func (r *reader) done() error {
	if !r.ok || len(r.bytes) > 0 {
		return errSnapshot
	}
	return nil
}
