// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

const (
	one call.ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	two call.ID = "01BX5ZZKBKACTAV9WEVGEMMVRZ"
)

// to is a reference as a client writes it.
func to(id call.ID, field string) string { return "(crmquota:" + string(id) + ":" + field + ")" }

var answersOf = map[call.ID]string{
	one: `{"ticket":{"id":9007199254740993,"open":true,"name":"a\"<b>","none":null,"tags":["x",{"id":"a-1"}]}}`,
	two: `{"id":"0035g00000LbBTQAA3","dots":"..","slash":"1/2","word":"create_many","empty":"","half":"1%2e"}`,
}

func answers(id call.ID) ([]byte, error) { return []byte(answersOf[id]), nil }

func TestFind(t *testing.T) {
	for name, test := range map[string]struct {
		target, body string
		want         []call.ID
		refused      bool
	}{
		"none":                    {"/api/v2/tickets", `{"ticket":{"subject":"about crmquota: a note"}}`, nil, false},
		"in the path":             {"/api/v2/tickets/" + to(one, "ticket.id") + ".json?a=b", ``, []call.ID{one}, false},
		"encoded in the path":     {"/tickets/%28crmquota%3A" + string(one) + "%3aticket.id%29", ``, []call.ID{one}, false},
		"in the body":             {"/t", `{"a":["` + to(one, "ticket.id") + `" , {"b":"` + to(two, "id") + `"}]}`, []call.ID{one, two}, false},
		"in both":                 {"/t/" + to(two, "id"), `"` + to(one, "ticket.tags.0") + `"`, []call.ID{two, one}, false},
		"in the query":            {"/t?id=" + to(one, "ticket.id"), ``, nil, true},
		"without a field":         {"/t/(crmquota:" + string(one) + ")", ``, nil, true},
		"of no ID":                {"/t", `"(crmquota:first:ticket.id)"`, nil, true},
		"in a longer text":        {"/t", `"ticket ` + to(one, "ticket.id") + `"`, nil, true},
		"after an escaped quote":  {"/t", `"a \"` + to(one, "ticket.id") + `"`, nil, true},
		"with escapes":            {"/t", `"\u0028crmquota:` + string(one) + `:ticket.id)"`, nil, true},
		"as the name of a member": {"/t", `{"` + to(one, "ticket.id") + `" : 1}`, nil, true},
		"in what is not JSON":     {"/t", `{"a":"` + to(one, "ticket.id") + `"`, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Find(test.target, []byte(test.body), true)
			if (err != nil) != test.refused || err == nil && !slices.Equal(got, test.want) {
				t.Errorf("found %v, %v; want %v", got, err, test.want)
			}
		})
	}
	if got, err := Find("/t", []byte(to(one, "a")), false); got != nil || err != nil {
		t.Errorf("a body of another type was searched: %v, %v", got, err)
	}
}

func TestFill(t *testing.T) {
	body := "{ \"id\": \"" + to(one, "ticket.id") + "\",\n\"b\":[\"" + to(one, "ticket.open") + `","` + to(one, "ticket.name") + `","` + to(one, "ticket.tags.1.id") + `"], "c" : "c" }`
	want := "{ \"id\": 9007199254740993,\n\"b\":[true,\"a\\\"\\u003cb\\u003e\",\"a-1\"], \"c\" : \"c\" }"
	got, err := Body([]byte(body), answers)
	if err != nil || string(got) != want || !json.Valid(got) {
		t.Errorf("the body is %s, %v; want %s", got, err, want)
	}
	target, err := Target("/t/"+to(one, "ticket.id")+".json/"+to(two, "id")+"?a=(b)", answers)
	if err != nil || target != "/t/9007199254740993.json/0035g00000LbBTQAA3?a=(b)" {
		t.Errorf("the target is %s, %v", target, err)
	}
}

// TestWhatCannotBeFilled names the call and the field, and nothing of the answer.
func TestWhatCannotBeFilled(t *testing.T) {
	for _, test := range []struct {
		id    call.ID
		field string
		path  bool
	}{
		{one, "ticket.none", false}, {one, "ticket", false}, {one, "ticket.tags", false}, {one, "ticket.tags.2", false}, {one, "ticket.tags.-1", false},
		{one, "ticket.tags.x", false}, {one, "ticket.id.x", false}, {one, "user", false}, {"01ARZ3NDEKTSV4RRFFQ69G5FAW", "id", false},
		{two, "dots", true}, {two, "slash", true}, {two, "word", true}, {two, "empty", true}, {two, "half", true}, {one, "ticket.name", true}, {one, "ticket.open", true},
	} {
		var err error
		if test.path {
			_, err = Target("/t/"+to(test.id, test.field), answers)
		} else {
			_, err = Body([]byte(`"`+to(test.id, test.field)+`"`), answers)
		}
		problem, is := errors.AsType[*Error](err)
		if !is || problem.ID != test.id || !strings.Contains(err.Error(), test.field) {
			t.Errorf("%s of %s: %v", test.field, test.id, err)
		}
	}
}

func TestSample(t *testing.T) {
	if got := Sample("/a/" + to(one, "x") + ".json?b=(c)"); got != "/a/1.json?b=(c)" {
		t.Errorf("the sample is %s", got)
	}
}

// FuzzBody holds that what is filled is JSON again, and that nothing else of it has changed.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"a":"` + to(one, "ticket.id") + `"}`))
	f.Add([]byte(`["\"` + to(one, "ticket.id") + `"]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		filled, err := Body(body, answers)
		if err != nil || !json.Valid(body) {
			return
		}
		if !json.Valid(filled) {
			t.Errorf("%q became %q", body, filled)
		}
		if found, _ := Find("/", body, true); len(found) == 0 && string(filled) != string(body) {
			t.Errorf("%q without references became %q", body, filled)
		}
	})
}
