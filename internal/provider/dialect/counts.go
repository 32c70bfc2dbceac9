// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"encoding/json"
	"mime"
	"strings"
)

// Names of counts that are no member of the body.
const (
	// CountBody is of the elements of a body that is an array itself.
	CountBody = "$body"
	// CountParts is of the requests in a multipart body, as in a $batch of OData.
	CountParts = "$parts"
	// CountConnections is of the connections that a GraphQL query asks for, by the name of their member "edges" (GraphQL Cursor Connections Specification).
	CountConnections = "$connections"
)

// Bounds of what is kept of a body's arrays, because it is stored with a queued call.
const (
	maxCounts    = 8
	maxCountName = 64
)

// Counts are how many things there are in a body, by name: the elements of each array that is a member of a JSON object, and what the names above stand for. They do not
// depend on a plan, so that a call can be priced by another plan when its body is not in memory any more. What cannot be counted is missing.
func Counts(contentType string, body []byte) map[string]int64 {
	media, _, _ := mime.ParseMediaType(contentType) // an unreadable one is none that is known here
	counts := map[string]int64{}
	switch {
	case strings.HasPrefix(media, "multipart/"):
		if n := requestParts(body); n > 0 {
			counts[CountParts] = n
		}
	case json.Valid(body):
		countJSON(counts, bytes.TrimSpace(body))
	}
	if len(counts) == 0 {
		return nil
	}
	return counts
}

// requestParts counts headers that say that a part is a request, whichever boundary they follow: change sets are nested.
func requestParts(body []byte) (n int64) {
	for line := range bytes.Lines(body) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(bytes.TrimSpace(name), []byte("Content-Type")) && bytes.Contains(bytes.ToLower(value), []byte("application/http")) {
			n++
		}
	}
	return n
}

// countJSON counts in a valid JSON text.
func countJSON(counts map[string]int64, text []byte) {
	switch text[0] {
	case '[':
		_, counts[CountBody] = skip(text)
	case '{':
		for name, value := range members(text) {
			if value[0] == '[' && len(name) <= maxCountName && !strings.HasPrefix(name, "$") && len(counts) < maxCounts {
				_, n := skip(value)
				counts[name] = max(counts[name], n) // of a name that is there twice, a CRM may take either
			}
			if name == "query" && value[0] == '"' {
				countConnections(counts, value)
			}
		}
	}
}

// members are the members of a JSON object, each value with what follows it.
func members(object []byte) func(yield func(name string, value []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for i := next(object, 1); object[i] != '}'; {
			end, _ := skip(object[i:])
			var name string
			_ = json.Unmarshal(object[i:i+end], &name) // it is valid
			i = next(object, next(object, i+end)+1)    // behind the colon
			if !yield(name, object[i:]) {
				return
			}
			end, _ = skip(object[i:])
			if i = next(object, i+end); object[i] == ',' {
				i = next(object, i+1)
			}
		}
	}
}

// next is where the next thing but white space is, from i on.
func next(text []byte, i int) int {
	for text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r' {
		i++
	}
	return i
}

// skip returns where the JSON value ends with which the text begins, and how many elements it has if it is an array.
func skip(text []byte) (end int, elements int64) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1, 0
			}
		case '{', '[':
			if depth++; depth == 1 && text[next(text, i+1)] != ']' {
				elements = 1
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, elements
			}
			if depth < 0 { // the end of what the value is in
				return i, 0
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i, 0
			}
			if depth == 1 && text[i] == ',' {
				elements++
			}
		}
	}
	return len(text), elements
}

// countConnections counts the connections in a GraphQL document. One with named fragments is not counted: each can be used many times.
func countConnections(counts map[string]int64, quoted []byte) {
	var query string
	end, _ := skip(quoted)
	_ = json.Unmarshal(quoted[:end], &query) // it is valid
	n := int64(0)
	for word := range graphQLNames(query) {
		switch word {
		case "fragment":
			return
		case "edges":
			n++
		}
	}
	if n > 0 {
		counts[CountConnections] = n
	}
}

// graphQLNames are the names in a GraphQL document; not what is in strings and comments.
func graphQLNames(query string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for query != "" {
			switch {
			case query[0] == '#':
				_, query, _ = strings.Cut(query, "\n")
			case strings.HasPrefix(query, `"""`):
				query = behindBlock(query[3:])
			case query[0] == '"':
				query = behindString(query)
			case isName(query[0]):
				n := 1
				for n < len(query) && isName(query[n]) {
					n++
				}
				if !yield(query[:n]) {
					return
				}
				query = query[n:]
			default:
				query = query[1:]
			}
		}
	}
}

// behindBlock is what follows a block string, in which only `\"""` is escaped.
func behindBlock(query string) string {
	for {
		before, behind, found := strings.Cut(query, `"""`)
		if !found || !strings.HasSuffix(before, `\`) {
			return behind
		}
		query = behind
	}
}

func behindString(query string) string {
	for i := 1; i < len(query); i++ {
		switch query[i] {
		case '\\':
			i++
		case '"':
			return query[i+1:]
		}
	}
	return ""
}

func isName(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
