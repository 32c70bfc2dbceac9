// SPDX-License-Identifier: Apache-2.0

// Package small has one mutant of each fate.
package small

// A number that can be too large to go on.
type number int64

// clamp is killed wherever it is changed.
func clamp(n, low, high number) number {
	if n < low {
		return low
	}
	return min(n, high)
}

// sum never ends when its index is not moved on.
func sum(n int) (total int) {
	i := 0
	for i < n {
		total += i
		i++
	}
	return total
}

// either has an operand that no test tells from the other.
func either(a, b bool) bool { return a || b }

// nobody calls this.
func forgotten(n int) int { return n * 2 }
