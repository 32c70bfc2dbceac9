// SPDX-License-Identifier: Apache-2.0

package catalogue

// Near is the first of the known names that a name is probably a slip of: one letter away, or two for names of more than twelve. A name that is known itself is
// near none.
func Near(name string, known []string) string {
	allowed := 1
	if len(name) > 12 {
		allowed = 2
	}
	near := ""
	for _, k := range known {
		switch d := distance(name, k); {
		case d == 0:
			return ""
		case d <= allowed && near == "":
			near = k
		}
	}
	return near
}

// distance is how many letters must be put in, taken out, replaced or exchanged with the next to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
