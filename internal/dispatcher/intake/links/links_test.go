// SPDX-License-Identifier: Apache-2.0

package links

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const intake = "https://zendesk-crm-dispatcher.contact-centre.svc"

var (
	paths   = []dialect.Link{{"next_page"}, {"links", "next"}, {"jobs", dialect.Each, "url"}, {"deep", dialect.Each, dialect.Each}}
	members = NewMembers(paths)
)

func rewriter(tb testing.TB, endpoint string) Rewriter {
	tb.Helper()
	r, err := NewRewriter(endpoint, intake+"/")
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestURL(t *testing.T) {
	for name, test := range map[string]struct{ endpoint, link, want string }{
		"a page":                            {"https://acme.zendesk.com", "https://acme.zendesk.com/api?page=2", intake + "/api?page=2"},
		"the root":                          {"https://acme.zendesk.com", "https://acme.zendesk.com", intake},
		"a query without a path":            {"https://acme.zendesk.com", "https://acme.zendesk.com?x", intake + "?x"},
		"case does not matter":              {"https://acme.zendesk.com", "HTTPS://Acme.Zendesk.COM/A", intake + "/A"},
		"http leads there too":              {"https://acme.zendesk.com", "http://acme.zendesk.com/", intake + "/"},
		"without a scheme":                  {"https://acme.zendesk.com", "//acme.zendesk.com/", intake + "/"},
		"the default port":                  {"https://acme.zendesk.com", "https://acme.zendesk.com:443/", intake + "/"},
		"the default port of http":          {"https://acme.zendesk.com", "http://acme.zendesk.com:80/", intake + "/"},
		"a root dot":                        {"https://acme.zendesk.com", "https://acme.zendesk.com./", intake + "/"},
		"a user":                            {"https://acme.zendesk.com", "https://u:p@acme.zendesk.com/", intake + "/"},
		"a port of its own":                 {"http://crm:8090", "http://crm:8090/a", intake + "/a"},
		"an IPv6 address":                   {"http://[::1]:8090", "http://[::1]:8090/a", intake + "/a"},
		"an IPv6 address without a port":    {"http://[::1]", "http://[::1]/a", intake + "/a"},
		"another port stays":                {"http://crm:8090", "http://crm:8091/a", "http://crm:8091/a"},
		"another host stays":                {"https://acme.zendesk.com", "https://evil.com/acme.zendesk.com/", "https://evil.com/acme.zendesk.com/"},
		"a longer host stays":               {"https://acme.zendesk.com", "https://acme.zendesk.com.evil.com/", "https://acme.zendesk.com.evil.com/"},
		"a user that looks like host stays": {"https://acme.zendesk.com", "https://acme.zendesk.com@evil.com/", "https://acme.zendesk.com@evil.com/"},
		"a path stays":                      {"https://acme.zendesk.com", "/api//acme.zendesk.com", "/api//acme.zendesk.com"},
		"another scheme stays":              {"https://acme.zendesk.com", "ftp://acme.zendesk.com/", "ftp://acme.zendesk.com/"},
		"text stays":                        {"https://acme.zendesk.com", "next", "next"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, changed := rewriter(t, test.endpoint).URL(test.link); got != test.want || changed != (test.link != test.want) {
				t.Errorf("URL(%q) = %q, %v; want %q", test.link, got, changed, test.want)
			}
		})
	}
}

func TestNewRewriterWantsAbsoluteURLs(t *testing.T) {
	for _, bad := range []string{"", "acme.zendesk.com", "/path", "https://", "http://a b/"} {
		if _, err := NewRewriter(bad, intake); err == nil {
			t.Errorf("endpoint %q accepted", bad)
		}
		if _, err := NewRewriter("https://acme.zendesk.com", bad); err == nil {
			t.Errorf("intake URL %q accepted", bad)
		}
	}
}

func TestLinkHeader(t *testing.T) {
	r := rewriter(t, "https://acme.zendesk.com")
	got := r.LinkHeader(`<https://acme.zendesk.com/a?b=1,2>; rel="next", <https://other/x>; rel=last, </y>`)
	want := `<` + intake + `/a?b=1,2>; rel="next", <https://other/x>; rel=last, </y>`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBodyChangesTheNamedMembersOnly(t *testing.T) {
	const crm = "https://acme.zendesk.com"
	for name, test := range map[string]struct{ body, want string }{
		"a member at the root": {
			`{ "next_page" : "CRM/a?b=1&c=%20", "previous_page":"CRM/a", "count": 1.50 }`, `{ "next_page" : "INT/a?b=1&c=%20", "previous_page":"CRM/a", "count": 1.50 }`,
		},
		"a member inside another":                {`{"links":{"prev":null,"next":"CRM/n"}}`, `{"links":{"prev":null,"next":"INT/n"}}`},
		"a member of each element":               {`{"jobs":[{"url":"CRM/1"},{"id":2},{"url":"CRM/2"}]}`, `{"jobs":[{"url":"INT/1"},{"id":2},{"url":"INT/2"}]}`},
		"elements of elements":                   {`{"deep":[["CRM/1","x"],["CRM/2"]]}`, `{"deep":[["INT/1","x"],["INT/2"]]}`},
		"escaped slashes":                        {`{"next_page":"https:\/\/acme.zendesk.com\/a"}`, `{"next_page":"INT/a"}`},
		"an escaped name":                        {`{"next\u005fpage":"CRM/a"}`, `{"next\u005fpage":"INT/a"}`},
		"a record's own url stays":               {`{"ticket":{"url":"CRM/t","next_page":"CRM/n"}}`, `{"ticket":{"url":"CRM/t","next_page":"CRM/n"}}`},
		"a value that looks like a member stays": {`{"a":"next_page","b":"CRM/x","c":["next_page","CRM/y"]}`, `{"a":"next_page","b":"CRM/x","c":["next_page","CRM/y"]}`},
		"a link elsewhere stays":                 {`{"next_page":"https:\/\/other\/a"}`, `{"next_page":"https:\/\/other\/a"}`},
		"another type stays":                     {`{"next_page":{"next_page":"CRM/a"},"links":"CRM/b","jobs":{"url":"CRM/c"}}`, `{"next_page":{"next_page":"CRM/a"},"links":"CRM/b","jobs":{"url":"CRM/c"}}`},
		"a list at the root stays":               {`["next_page","CRM/a"]`, `["next_page","CRM/a"]`},
		"a string at the root stays":             {`"CRM/a"`, `"CRM/a"`},
		"after deep values":                      {`{"x":{"y":[{"z":"}]\""}]},"next_page":"CRM/a"}`, `{"x":{"y":[{"z":"}]\""}]},"next_page":"INT/a"}`},
		"what is no JSON stays":                  {`}] <a href="CRM/a">next_page</a>`, `}] <a href="CRM/a">next_page</a>`},
		"a body that was cut short stays":        {`{"next_page":"CRM/a`, `{"next_page":"CRM/a`},
		"a name too long stays":                  {`{"` + strings.Repeat("n", 2*maxName) + `":"CRM/a"}`, `{"` + strings.Repeat("n", 2*maxName) + `":"CRM/a"}`},
		"a link too long stays":                  {`{"next_page":"CRM/` + strings.Repeat("a", maxLink) + `"}`, `{"next_page":"CRM/` + strings.Repeat("a", maxLink) + `"}`},
		"nothing stays":                          {``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			body, want := strings.ReplaceAll(test.body, "CRM", crm), strings.NewReplacer("CRM", crm, "INT", intake).Replace(test.want)
			r := rewriter(t, crm)
			for how, source := range map[string]io.Reader{"at once": strings.NewReader(body), "byte by byte": iotest.OneByteReader(strings.NewReader(body))} {
				got, err := io.ReadAll(r.Body(source, members))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, string(got)); diff != "" {
					t.Errorf("%s: %s", how, diff)
				}
			}
		})
	}
}

func TestBodyHandsErrorsOn(t *testing.T) {
	r := rewriter(t, "https://acme.zendesk.com")
	source := io.MultiReader(strings.NewReader(`{"next_page":"https`), iotest.ErrReader(io.ErrUnexpectedEOF))
	got, err := io.ReadAll(r.Body(source, members))
	if !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != `{"next_page":"https` {
		t.Errorf("read %q, %v", got, err)
	}
}

// FuzzBody holds the scanner against encoding/json: whatever the document, it means the same as before but for the named members.
func FuzzBody(f *testing.F) {
	const crm = "http://c"
	for _, seed := range []string{
		`{"next_page":"http://c/a","x":[1,{"next_page":"http://c/b"}]}`, `{"links":{"next":"http:\/\/c"},"links":{"next":"//C/"}}`,
		`{"jobs":[{"url":"http://c/1"},[{"url":"http://c/2"}]],"deep":[["http://c"],[["http://c"]]]}`, `[}{"next_page":"http://c`, `{"next_p\u0061ge":"http://c\"\\"}`,
		"\"\\\"{\"", `{"a":{},"next_page":"http://c"}`,
	} {
		f.Add(seed)
	}
	r := rewriter(f, crm)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := io.ReadAll(r.Body(strings.NewReader(body), members))
		if err != nil {
			t.Fatal(err)
		}
		slow, err := io.ReadAll(r.Body(iotest.OneByteReader(strings.NewReader(body)), members))
		if err != nil || !bytes.Equal(got, slow) {
			t.Fatalf("byte by byte %q, at once %q (%v)", slow, got, err)
		}
		var before, after any
		if json.Unmarshal([]byte(body), &before) != nil {
			return
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, got, err)
		}
		want := before
		for _, member := range paths {
			want = replace(r, want, member)
		}
		if diff := cmp.Diff(want, after); diff != "" {
			t.Fatalf("%q became %q: %s", body, got, diff)
		}
	})
}

// replace is Body for one member of a decoded document.
func replace(r Rewriter, value any, member dialect.Link) any {
	if len(member) == 0 {
		if link, isText := value.(string); isText {
			value, _ = r.URL(link)
		}
		return value
	}
	switch value := value.(type) {
	case map[string]any:
		if inner, found := value[member[0]]; found {
			value[member[0]] = replace(r, inner, member[1:])
		}
	case []any:
		if member[0] == dialect.Each {
			for i := range value {
				value[i] = replace(r, value[i], member[1:])
			}
		}
	}
	return value
}

func BenchmarkBody(b *testing.B) {
	r := rewriter(b, "https://acme.zendesk.com")
	record := `{"id":123,"url":"https://acme.zendesk.com/api/v2/tickets/123.json","subject":"` + strings.Repeat("x", 500) + `"},`
	body := `{"tickets":[` + strings.Repeat(record, 1000) + `{}],"next_page":"https://acme.zendesk.com/api/v2/tickets.json?page=2"}`
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, r.Body(strings.NewReader(body), members)); err != nil {
			b.Fatal(err)
		}
	}
}
