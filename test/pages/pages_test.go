// SPDX-License-Identifier: Apache-2.0

// Package pages holds what pages for people name against what there is.
package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var (
	testName   = regexp.MustCompile(`\bTest[A-Z]\w+`)
	testFunc   = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	metricName = regexp.MustCompile(`\bcrmquota_dispatcher_\w+`)
	fence      = regexp.MustCompile("(?ms)^```.*?^```")
	inCode     = regexp.MustCompile("`([^`\n]+)`")
	link       = regexp.MustCompile(`\]\(([^)#]*)(?:#([^)]*))?\)`)
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notAnchor  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are the Markdown files at the root, in docs with its folders, and in hack, by path from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "docs/crms/*.md", "hack/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			path = strings.TrimPrefix(path, root+"/")
			found[path] = read(t, path)
		}
	}
	return found
}

// tests are the names of all test functions.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range testFunc.FindAllSubmatch(text, -1) {
			names[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestThereAreTheTestsThatPagesName(t *testing.T) {
	known := tests(t)
	for path, text := range pages(t) {
		for _, name := range testName.FindAllString(text, -1) {
			if !known[name] {
				t.Errorf("%s names %s, which is no test", path, name)
			}
		}
	}
}

func TestThereAreTheMetricsThatPagesName(t *testing.T) {
	listed := metricName.FindAllString(read(t, "docs/metrics.md"), -1)
	for path, text := range pages(t) {
		for _, name := range metricName.FindAllString(text, -1) {
			known := slices.ContainsFunc(listed, func(metric string) bool {
				return slices.Contains([]string{metric, metric + "_count", metric + "_sum", metric + "_bucket"}, name)
			})
			if !known {
				t.Errorf("%s names %s, which is no metric", path, name)
			}
		}
	}
}

// The page on operations writes metrics without their prefix, and names conditions, their reasons, events and the reasons of refusals: every word in code that looks
// like one of these is one.
func TestOperationsNamesWhatThereIs(t *testing.T) {
	vocabulary := read(t, "docs/metrics.md") + read(t, "docs/conditions.md") + read(t, "internal/contract/reasons.go") + read(t, "controllers/crm/claim.go") +
		read(t, "docs/api.md")
	known := tests(t)
	reason, metric := regexp.MustCompile(`^[A-Z][a-zA-Z]+$`), regexp.MustCompile(`^[a-z]+(_[a-z]+)+(\{.*\})?$`)
	checked := 0
	for _, match := range inCode.FindAllStringSubmatch(fence.ReplaceAllString(read(t, "docs/operations.md"), ""), -1) {
		word := match[1]
		switch {
		case known[word]:
		case reason.MatchString(word):
			checked++
			if !regexp.MustCompile(`\b` + word + `\b`).MatchString(vocabulary) {
				t.Errorf("%s is no condition or reason", word)
			}
		case metric.MatchString(word):
			checked++
			name, _, _ := strings.Cut(word, "{")
			if !strings.Contains(vocabulary, "`crmquota_dispatcher_"+strings.TrimSuffix(name, "_count")+"`") {
				t.Errorf("%s is no metric", word)
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d words were looked at", checked)
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for path, text := range all {
		for _, match := range link.FindAllStringSubmatch(inCode.ReplaceAllString(fence.ReplaceAllString(text, ""), ""), -1) {
			target, anchor := match[1], match[2]
			if strings.Contains(target, "://") {
				continue
			}
			to := path
			if target != "" {
				to = filepath.Join(filepath.Dir(path), target)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s leads to %s, which is not there", path, target)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(all[to]), anchor) {
				t.Errorf("%s leads to %s#%s, which is no heading", path, to, anchor)
			}
		}
	}
}

// anchors of a page's headings, as they are made on the web.
func anchors(text string) []string {
	var names []string
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		name := notAnchor.ReplaceAllString(strings.ToLower(match[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}
