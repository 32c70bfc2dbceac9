// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const switchingPage = "../../docs/switching.md"

// The page has a row for each test, and a test for each row.
func TestTheTableIsWhatIsTested(t *testing.T) {
	text, err := os.ReadFile(switchingPage)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "|") {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	if diff := cmp.Diff(table(), got); diff != "" {
		t.Errorf("the table of %s (-tested +there):\n%s", switchingPage, diff)
	}
}

// table is what the page is to say.
func table() []string {
	rows := []string{"| client | version | how | a refusal is | CRM | test |", "|---|---|---|---|---|---|"}
	for _, c := range switched {
		rows = append(rows, c.row("`"+c.refusal+"`"))
	}
	for _, c := range notSwitched {
		rows = append(rows, c.row(""))
	}
	return rows
}

func (c client) row(refusal string) string {
	judge := "a stub: transport only"
	if strings.HasPrefix(c.script, "zendesk") {
		judge = "crmsim"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | `%s` |", c.title, c.version, c.switching, refusal, judge, c.name)
}
