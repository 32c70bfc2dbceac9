// SPDX-License-Identifier: Apache-2.0

package dialect_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

func TestCounts(t *testing.T) {
	const jsonType, mixed = "application/json; charset=utf-8", "multipart/mixed; boundary=b"
	batch := "--b\r\nContent-Type: application/http\r\n\r\nGET /a HTTP/1.1\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" +
		"--c\r\ncontent-type:application/http\r\n\r\nPOST /b HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}\r\n--c--\r\n--b--\r\n"
	graph := func(query string) string {
		encoded, _ := json.Marshal(map[string]string{"query": query})
		return string(encoded)
	}
	many := `{"a":[],"b":[],"c":[],"d":[],"e":[],"f":[],"g":[],"h":[],"data":[1]}`
	for name, tc := range map[string]struct {
		contentType, body string
		want              map[string]int64
	}{
		"no body":                         {jsonType, "", nil},
		"no JSON":                         {jsonType, `{"data":[1,2`, nil},
		"a body without arrays":           {jsonType, `{"data":{"a":[1,2]},"n":1,"s":"x,y","b":true}`, nil},
		"records":                         {jsonType, `{"data":[{"a":1,"b":[1,2]},{"a":",]}"},[3,4]],"trigger":[]}`, map[string]int64{"data": 3, "trigger": 0}},
		"white space":                     {jsonType, " {\n \"data\" : [ 1 , 2 ]\t,\r\n \"n\" : 5 , \"more\" : [ ] } ", map[string]int64{"data": 2, "more": 0}},
		"an escaped name is the same":     {jsonType, `{"d\u0061ta":["a\"]","\\"]}`, map[string]int64{"data": 2}},
		"of two with one name the longer": {jsonType, `{"data":[1,2],"data":[1]}`, map[string]int64{"data": 2}},
		"an array":                        {jsonType, ` [{"a":1}, {"a":2}]`, map[string]int64{"$body": 2}},
		"an empty array":                  {jsonType, `[ ]`, map[string]int64{"$body": 0}},
		"a number":                        {jsonType, `7`, nil},
		"a name of ours is not taken":     {jsonType, `{"$parts":[1]}`, nil},
		"a name that is too long":         {jsonType, `{"` + strings.Repeat("x", 65) + `":[1]}`, nil},
		"the ninth array is not kept":     {jsonType, many, map[string]int64{"a": 0, "b": 0, "c": 0, "d": 0, "e": 0, "f": 0, "g": 0, "h": 0}},
		"whatever it is said to be":       {"text/plain", `{"data":[1]}`, map[string]int64{"data": 1}},
		"a batch with a change set":       {mixed, batch, map[string]int64{"$parts": 2}},
		"a form":                          {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", nil},
		"a query": {jsonType, graph(`{ uiapi { query { Account(where: {Name: {eq: "edges { \" #"}}) { edges { node { Id Contacts { edges { node { Id } } } } } } # edges
			Case { e: edges { node { edgesOf } } } } } }`), map[string]int64{"$connections": 3}},
		"a block string":           {jsonType, graph(`{ a(text: """ edges " \""" edges """) { edges { id } } }`), map[string]int64{"$connections": 1}},
		"a query with fragments":   {jsonType, graph(`{ a { ...F } b { ...F } } fragment F on A { edges { id } }`), nil},
		"a query without end":      {jsonType, graph(`{ a(text: "`), nil},
		"a query of other members": {jsonType, `{"variables":{"query":"edges"},"query":7}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := dialect.Counts(tc.contentType, []byte(tc.body)); !maps.Equal(got, tc.want) {
				t.Errorf("counted %v, want %v", got, tc.want)
			}
		})
	}
}

// FuzzCounts: of any text, what the standard library finds is counted.
func FuzzCounts(f *testing.F) {
	for _, seed := range []string{`{"data":[1,{"a":[2]}],"b":[]}`, `[1,"]"]`, `{"query":"{a{edges{id}}}"}`, `{"a":"\\","b":[null]}`, "{}", `{"":[0]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := dialect.Counts("application/json", body)
		var members map[string]json.RawMessage
		if json.Unmarshal(body, &members) != nil || len(members) > 8 {
			return
		}
		for name, raw := range members {
			var elements []json.RawMessage
			if json.Unmarshal(raw, &elements) != nil || raw[0] != '[' || len(name) > 64 || strings.HasPrefix(name, "$") {
				continue
			}
			if n, counted := got[name]; !counted || n < int64(len(elements)) { // more, if the name is there twice
				t.Errorf("%d elements of %q are counted as %d (%t)", len(elements), name, n, counted)
			}
		}
	})
}
