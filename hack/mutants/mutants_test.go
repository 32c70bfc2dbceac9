// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFates mutates a package of which each mutant's fate is plain to see.
func TestFates(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a package and waits for a mutant that hangs")
	}
	reasons := map[string]string{
		"small either: a || b: || to &&": "no matter",
		"small gone: a: negated":         "there is no such thing",
	}
	o := options{workers: 2, only: regexp.MustCompile("")}
	r, err := mutatePackage(t.Context(), o, "testdata/small", t.TempDir(), reasons)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, out := range r.outcomes {
		got[strings.TrimPrefix(out.key, "small ")] = words[out.fate]
	}
	want := map[string]string{
		"clamp: func clamp(n, low, high number) number: returns at once": words[killed],
		"clamp: n < low: < to <=":                               words[survived],
		"clamp: n < low: < to >=":                               words[killed],
		"clamp: min(n, high): min to max":                       words[killed],
		"sum: func sum(n int) (total int): returns at once":     words[killed],
		"sum: i := 0: 0 to 1":                                   words[survived],
		"sum: i := 0: 0 to -1":                                  words[killed],
		"sum: i < n: < to <=":                                   words[killed],
		"sum: i < n: < to >=":                                   words[killed],
		"sum: total += i: left out":                             words[killed],
		"sum: total += i: += to -=":                             words[killed],
		"sum: i++: left out":                                    words[hung],
		"sum: i++: ++ to --":                                    words[hung],
		"either: func either(a, b bool) bool: returns at once":  words[killed],
		"either: a || b: || to &&":                              words[excused],
		"either: a: negated":                                    words[killed],
		"either: b: negated":                                    words[killed],
		"forgotten: func forgotten(n int) int: returns at once": words[unreached],
		"forgotten: n * 2: * to /":                              words[unreached],
		"forgotten: n * 2: 2 to 3":                              words[unreached],
		"forgotten: n * 2: 2 to 1":                              words[unreached],
		"forgotten: n * 2: 2 to 0":                              words[unreached],
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	var complaints []string
	for _, err := range r.complaints(o, reasons) {
		complaints = append(complaints, err.Error())
	}
	text := strings.Join(complaints, "\n")
	for _, says := range []string{
		"small: 63.6 % killed", "survived: small clamp: n < low: < to <=", "survived: small forgotten: n * 2: * to /", "there is no such mutant, take it off",
	} {
		if !strings.Contains(text, says) {
			t.Errorf("the complaints lack %q:\n%s", says, text)
		}
	}
	if strings.Contains(text, "either") {
		t.Errorf("an accepted survivor is complained of:\n%s", text)
	}
}

// TestEditsKeepLines, and keys tell mutants apart.
func TestEditsKeepLines(t *testing.T) {
	for _, dir := range []string{"testdata/small", "../../" + limitsDir, "../../" + ledgerDir} {
		src, err := load(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		mutants, files := src.mutate()
		if len(mutants) == 0 {
			t.Errorf("%s has no mutants", dir)
		}
		keys := map[string]bool{}
		for _, m := range mutants {
			if keys[m.key] {
				t.Errorf("%s: two mutants are called %s", dir, m.key)
			}
			keys[m.key] = true
		}
		for _, f := range src.files {
			if was, is := strings.Count(string(f.text), "\n"), strings.Count(string(files[f.path]), "\n"); was != is {
				t.Errorf("%s has %d lines, %d with its mutants", f.path, was, is)
			}
		}
	}
}

func TestReasons(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want map[string]string
		says string
	}{
		"nothing":    {"# comment\n\n", map[string]string{}, ""},
		"two":        {"a b: c\n  because it\n  is so\n# comment\nd e: f\n\tbecause\n", map[string]string{"a b: c": "because it is so", "d e: f": "because"}, ""},
		"none":       {"a b: c\nd e: f\n  because\n", nil, "no reason for a b: c"},
		"of nothing": {"  because\n", nil, ":1: a reason for nothing"},
		"twice":      {"a\n  because\na\n  because\n", nil, ":3: is in it twice: a"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "survivors.txt")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readReasons(path)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tc.says == "" && err != nil || tc.says != "" && !strings.Contains(fmt.Sprint(err), tc.says) {
				t.Errorf("the error is %v, want %q", err, tc.says)
			}
		})
	}
}

// TestNamedMutantsFitTheCode: what they replace is there once, and so is the test that has to see it. That it does is checked by make mutants NAMED=1.
func TestNamedMutantsFitTheCode(t *testing.T) {
	for _, n := range namedMutants {
		if _, err := n.files("../.."); err != nil {
			t.Errorf("%s: %v", n.name, err)
		}
		function, _, _ := strings.Cut(n.test, "/")
		tests, err := filepath.Glob(filepath.Join("../..", n.pkg, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, path := range tests {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "\nfunc "+function+"(t *testing.T) {")
		}
		if !found {
			t.Errorf("%s: %s has no %s", n.name, n.pkg, function)
		}
	}
}
