// SPDX-License-Identifier: Apache-2.0

package contract

import "net/http"

// suite is what a CRM and its adapter are held to. In paths, bodies and headers {n} stands for a text that no other call has, {NAME} for what prepare has found.
type suite struct {
	provider string
	// sim is the simulated product, if it is not called like the provider.
	sim string
	// sign puts a secret where the CRM's clients have it.
	sign func(r *http.Request, secret string)
	// prepare makes the records that calls are about.
	prepare []prepared
	// probe is a call that reads, and needs nothing.
	probe call
	// calls are at least one for each operation.
	calls []call
	// refusals are the ways in which the CRM says that it is enough.
	refusals []refusal
	// busy is the status of the call that comes while another is served, when the licence allows one at a time.
	busy int
	// shown are limits under which the probe's answer tells of all that is in shows.
	shown, shows []string
	// pages lead on.
	pages []page
	// stored are members with links to single records: people store them, so they are left alone.
	stored []string
	// bulks take several records.
	bulks []bulk
	// mixed are calls without a name that go together with named ones.
	mixed []call
}

// call is one request. Headers are names and values in turn.
type call struct {
	operation, method, path, body string
	header                        []string
}

// prepared is a call, and where its answer tells what {name} stands for: the path of a JSON member.
type prepared struct {
	name string
	call
	at string
}

// refusal is a call that is refused when it is made once more than a limit allows.
type refusal struct {
	name, limit string
	// pushes is how often the caller comes again when it has been refused.
	pushes int
	call
	status int
	// told says that the CRM tells, in whatever way, for how long to wait.
	told bool
	// strange says that our own refusals do not look like this one; unconfirmed that they do in form alone: the vendor does not document its words.
	strange, unconfirmed bool
}

// page is a call whose answer leads on, by the link at the path of a JSON member, in which * is every element of a list, or by the header Link.
type page struct {
	call
	next string
}

// bulk is a call whose {items} are separated by commas.
type bulk struct {
	call
	item string
	// most is how many it takes; 0 if nobody says.
	most int
	// weight is what the call counts when it is full; 0 means once.
	weight int
	// results is the path of the list that tells of each item; empty if the answer does not.
	results string
}

var suites = []suite{
	zendeskSuite, salesforceSuite, hubspotSuite, dynamicsSuite, servicenowSuite, freshdeskSuite, zohoSuite, pipedriveSuite, intercomSuite, kustomerSuite,
	genericSuite,
}
