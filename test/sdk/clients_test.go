// SPDX-License-Identifier: Apache-2.0

package sdk

// client is a way in which an application may talk to its CRM, and a row of docs/switching.md.
type client struct {
	// name of its test.
	name string
	// title says what it is, switching how it is switched, both as in the table; version is what the package says of itself.
	title, version, switching string
	// refusal is how it tells of a call that the dispatcher refused for quota.
	refusal string
	// start returns the CRM that it talks to.
	start func() crm
	// node is the npm package, by its name in package.json; what runs the script depends on its ending.
	node, script string
	// requests that arrive at the CRM.
	requests int
}

// Of what an application sends, the search, the creation, three pages of an export and a record are a request each. Those that have no package for the CRM read the
// export in three ways.
const (
	withPackage    = 1 + 1 + 3 + 1
	withoutPackage = 1 + 1 + 3*3 + 1
)

const (
	byEndpointURI = "`endpointUri: url + '/api/v2'`, `token: key`"
	byRemoteURI   = "`remoteUri: url + '/api/v2'`, `token: key`"
	byBasePath    = "`basePath: url`, `accessToken: key`"
	byInstanceURL = "`instanceUrl: url`, `accessToken: key`"
	byLogin       = "`oauth2: {loginUrl: url, clientId, clientSecret}`, `login(user, key)`"
	byRequestURL  = "the URL of its requests, `key` as the password"
)

// switched are the clients that come through the dispatcher.
var switched = []client{
	{"node-zendesk", "node-zendesk", "6.0.1", byEndpointURI, "result.statusCode 429", zendesk, "node-zendesk", "zendesk.js", withPackage},
	{"node-zendesk-5", "node-zendesk", "5.0.15", byEndpointURI, "result.statusCode 429", zendesk, "node-zendesk-5", "zendesk.js", withPackage},
	{"node-zendesk-2", "node-zendesk", "2.2.0", byRemoteURI, "error.statusCode 429", zendesk, "node-zendesk-2", "zendesk.js", withPackage},
	{"python-requests", "requests (Python)", "2.28.1", byRequestURL, "status 429", zendesk, "", "zendesk.py", withoutPackage},
	{"ruby-faraday", "Faraday (Ruby)", "1.1.0", byRequestURL, "status 429", zendesk, "", "zendesk.rb", withoutPackage},
	{"hubspot-api-client", "@hubspot/api-client", "14.0.1", byBasePath, "error.code 429", hubspot, "@hubspot/api-client", "hubspot.js", withPackage},
	{"jsforce", "jsforce", "3.10.26", byInstanceURL, "error.errorCode ERROR_HTTP_429", salesforce, "jsforce", "salesforce.js", withPackage},
	{"jsforce-1", "jsforce", "1.11.1", byInstanceURL, "error.errorCode ERROR_HTTP_429", salesforce, "jsforce-1", "salesforce.js", withPackage},
	{"jsforce-oauth", "jsforce with `login()`", "3.10.26", byLogin, "error.errorCode REQUEST_LIMIT_EXCEEDED", salesforceWithLogin, "jsforce", "salesforce-oauth.js", withPackage},
	{"jsforce-1-oauth", "jsforce with `login()`", "1.11.1", byLogin, "error.errorCode REQUEST_LIMIT_EXCEEDED", salesforceWithLogin, "jsforce-1", "salesforce-oauth.js", withPackage},
}

// notSwitched are ways that lead round the dispatcher, or nowhere.
var notSwitched = []client{
	{"zendesk-subdomain", "node-zendesk with `subdomain`", "6.0.1", "not possible: `route: External`", "", zendesk, "node-zendesk", "zendesk-subdomain.js", 0},
	{"salesforce-login", "jsforce with a SOAP `login()`", "3.10.26", "not possible: give `oauth2` or `accessToken`", "", salesforce, "jsforce", "salesforce-login.js", 0},
}
