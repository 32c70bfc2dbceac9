// SPDX-License-Identifier: Apache-2.0

// Package contract is the only thing that the control plane and the dispatchers share: the plan that goes down, the report that comes up, and the names of
// files, ports and headers between them.
package contract

// Files, as mounted into a dispatcher's pod.
const (
	// PlanFile is the dispatch plan in the mounted ConfigMap, as JSON.
	PlanFile = "/etc/crmquota/plan/plan.json"
	// CredentialsDir holds the keys of the CRM credentials Secret, one file each. It is empty while the Secret is missing.
	CredentialsDir = "/etc/crmquota/credentials"
	// OwnCredentialsDir holds a folder for each Secret that integrations name for their own credentials or callbacks, with one file for each key. A folder is empty
	// while its Secret is missing.
	OwnCredentialsDir = "/etc/crmquota/own-credentials"
	// TLSDir holds tls.crt and tls.key of the intake's TLS Secret, if one is named.
	TLSDir = "/etc/crmquota/tls"
	// EncryptionDir holds the keys of the Secret that encrypts what is stored of calls, one file each, if one is named.
	EncryptionDir = "/etc/crmquota/encryption"
	// DataDir is the mounted volume.
	DataDir = "/var/lib/crmquota"
)

// Ports of a dispatcher's container.
const (
	// IntakePort serves integrations.
	IntakePort = 8443
	// ReportPort serves the manager: the report, over TLS with the intake's own CA.
	ReportPort = 8444
	// HealthPort serves /healthz, /readyz and /metrics in clear text. No payload is ever served there.
	HealthPort = 8080
	// ProfilePort serves Go's profiles on the pod's loopback interface alone, for kubectl port-forward.
	ProfilePort = 6060
)

// ReportPath is where a dispatcher serves its Report. Query parameters: after=<sequence> and wait=<seconds> hold the answer back until the plan in force has a
// sequence of at least after, or the time is over.
const ReportPath = "/report"

// ReportAudience is the audience of the service account token that the manager presents to a dispatcher.
const ReportAudience = "crmquota.dev/report"

// HostsKey is the key in a credentials Secret that lists, one a line, the hosts the credentials may be sent to.
const HostsKey = "hosts"

// ClientAudience is the audience that a service account token must have to call a CRM's dispatcher. It names the CRM, so that a dispatcher cannot replay what
// it received to another one.
func ClientAudience(namespace, crm string) string { return "crmquota.dev/" + namespace + "/" + crm }

// HeaderOrderingKey is a header of requests: queued calls of one integration with the same value are sent one after the other, in the order of their acceptance.
const HeaderOrderingKey = "Crmquota-Ordering-Key"

// HeaderReferences is a header of requests: the results, by ID and with commas between, of earlier queued calls of the integration that the call is sent after, and
// whose answers its path and body hold places for.
const HeaderReferences = "Crmquota-References"

// Headers that a dispatcher adds to answers.
const (
	// HeaderOrigin says whose answer it is: OriginCRM or OriginDispatcher.
	HeaderOrigin = "Crmquota-Origin"
	// HeaderReason is the code of a refusal by the dispatcher.
	HeaderReason = "Crmquota-Reason"
	// OriginCRM marks an answer of the CRM.
	OriginCRM = "crm"
	// OriginDispatcher marks an answer of the dispatcher.
	OriginDispatcher = "dispatcher"
)

// ResultsPath is the prefix of result resources at the intake; no CRM path starts with it.
const ResultsPath = "/-/results/"

// ErasePath takes the order to erase what is stored of an integration's calls.
const ErasePath = "/-/erase"
