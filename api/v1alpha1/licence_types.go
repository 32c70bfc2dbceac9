// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// OnExhaustion says what happens when a limit has no calls left.
// +kubebuilder:validation:Enum=Stop;Alert
type OnExhaustion string

const (
	// OnExhaustionStop holds calls back until the limit has room again.
	OnExhaustionStop OnExhaustion = "Stop"
	// OnExhaustionAlert lets calls pass and counts them: for caps that a company sets itself and the CRM does not enforce.
	OnExhaustionAlert OnExhaustion = "Alert"
)

// CalendarUnit is the length of a calendar period.
// +kubebuilder:validation:Enum=Hour;Day;Month
type CalendarUnit string

const (
	// CalendarUnitHour runs from one full hour of the local clock to the next.
	CalendarUnitHour CalendarUnit = "Hour"
	// CalendarUnitDay runs from one local midnight to the next, on days of 23 and 25 hours too.
	CalendarUnitDay CalendarUnit = "Day"
	// CalendarUnitMonth runs from local midnight of one month's first day to that of the next.
	CalendarUnitMonth CalendarUnit = "Month"
)

// SlotUntil says how long a call holds its slot of a concurrent limit.
// +kubebuilder:validation:Enum=CallEnds;JobEnds
type SlotUntil string

const (
	// SlotUntilCallEnds frees the slot when the call is answered.
	SlotUntilCallEnds SlotUntil = "CallEnds"
	// SlotUntilJobEnds frees the slot when the job that the call started has ended.
	SlotUntilJobEnds SlotUntil = "JobEnds"
)

// LimitScope says for what the CRM keeps a count of its own.
// +kubebuilder:validation:Enum=Account;Credential;Record
type LimitScope string

const (
	// LimitScopeAccount counts all calls of the account together.
	LimitScopeAccount LimitScope = "Account"
	// LimitScopeCredential counts the calls of each credential apart.
	LimitScopeCredential LimitScope = "Credential"
	// LimitScopeRecord counts the calls to each record, such as a ticket, apart.
	LimitScopeRecord LimitScope = "Record"
)

// CRMCounting is how the CRM itself keeps a rolling limit.
// +kubebuilder:validation:Enum=Exact;Fixed;TokenBucket;Approximate
type CRMCounting string

const (
	// CRMCountingExact counts the calls of the last windowSeconds, or more generously.
	CRMCountingExact CRMCounting = "Exact"
	// CRMCountingFixed counts in windows that follow one another, wherever they begin.
	CRMCountingFixed CRMCounting = "Fixed"
	// CRMCountingTokenBucket refills a bucket of size burst with calls units per windowSeconds.
	CRMCountingTokenBucket CRMCounting = "TokenBucket"
	// CRMCountingApproximate estimates the last window from the counts of two fixed ones.
	CRMCountingApproximate CRMCounting = "Approximate"
)

// AfterLedgerLoss says what counts as used when a dispatcher finds an empty volume where there was a ledger.
// +kubebuilder:validation:Enum=Bounded;Spent;Fresh
type AfterLedgerLoss string

const (
	// AfterLedgerLossBounded counts what was reported last and all that can have been sent since.
	AfterLedgerLossBounded AfterLedgerLoss = "Bounded"
	// AfterLedgerLossSpent counts every limit as used up for one window or period.
	AfterLedgerLossSpent AfterLedgerLoss = "Spent"
	// AfterLedgerLossFresh counts nothing as used: the limits may be overrun once.
	AfterLedgerLossFresh AfterLedgerLoss = "Fresh"
)

// LimitSource says whose word on the size of a limit holds.
// +kubebuilder:validation:Enum=Declared;Reported;Lowest
type LimitSource string

const (
	// LimitSourceDeclared takes what is declared, whatever the CRM says.
	LimitSourceDeclared LimitSource = "Declared"
	// LimitSourceReported takes what the CRM says, once several of its answers have.
	LimitSourceReported LimitSource = "Reported"
	// LimitSourceLowest takes the lower of both.
	LimitSourceLowest LimitSource = "Lowest"
)

// Licence is what the CRM's licence allows: what the operator's catalogue knows of its tier, what is declared here, or both.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.tier) || has(self.limits)",message="tier or limits must be set"
// +kubebuilder:validation:XValidation:rule="has(self.tier) || !has(self.seats) && !has(self.addOns) && !has(self.next)",message="seats, addOns and next need a tier: set it, or remove them"
// +kubebuilder:validation:XValidation:rule="!has(self.validUntil) || !has(self.next) || self.next.from <= self.validUntil",message="next.from must not be after validUntil: between the two there would be no licence"
type Licence struct {
	// account identifies whose licence it is, so that two CRM objects never spend one licence twice: the Zendesk subdomain, a Salesforce My Domain, any
	// stable name otherwise. Zendesk, Salesforce, Dynamics365, ServiceNow, Freshdesk and Pipedrive derive it from the endpoint, if that is not api.pipedrive.com. It cannot be changed once set: queued calls belong to the account they were accepted for.
	// +optional
	// +k8s:immutable
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`
	Account string `json:"account,omitempty"`

	// tier is the licence as the vendor sells it. The catalogue fills in its limits, which status.licence shows with their sources; limits declared here take the
	// place of the catalogue's of the same name, or come on top. The tiers that the catalogue knows, in each line of products the smallest first:
	// Dynamics365: PowerPlatform, Dynamics365.
	// Freshdesk: Trial, Growth, Pro, Enterprise.
	// HubSpot: Free, Starter, Professional, Enterprise, PublicApp.
	// Intercom: Workspace.
	// Kustomer: Professional, Business, Enterprise, Ultimate.
	// Pipedrive: Lite, Growth, Premium, Ultimate.
	// Salesforce: Developer, Professional, Enterprise, Unlimited, Performance, FullSandbox.
	// ServiceNow: Instance.
	// Zendesk: SuiteTeam, SuiteGrowth, SuiteProfessional, SuiteEnterprise, SuiteEnterprisePlus, SupportEssential, SupportTeam, SupportProfessional, SupportEnterprise.
	// ZohoCRM: Free, Standard, Professional, Enterprise, Ultimate.
	// +optional
	Tier TierName `json:"tier,omitempty"`

	// seats is how many users the licence is for, where limits depend on it: full Salesforce licences, users of Zoho CRM, seats of Pipedrive, user licences of a
	// Dynamics 365 tenant.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Seats int32 `json:"seats,omitempty"`

	// addOns are what was bought besides the tier and changes its limits; docs/catalogue.md lists them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	AddOns []AddOn `json:"addOns,omitempty"`

	// validUntil is when the licence ends. Its limits stay in force after that; condition LicenceValid says that it has ended, or will soon.
	// +optional
	ValidUntil *metav1.Time `json:"validUntil,omitempty"`

	// next is the licence that follows. The dispatcher changes over by itself at that instant, whether the operator runs or not; guarantees must fit into both.
	// +optional
	Next *NextLicence `json:"next,omitzero"`

	// timeZone is the time zone of the CRM's account: where calendar limits of the catalogue begin their periods.
	// +optional
	TimeZone TimeZone `json:"timeZone,omitempty"`

	// limits are limits of the licence that the tier does not imply, or implies otherwise; all of them where there is no tier. A call is sent only when it fits
	// into all limits.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Limits []Limit `json:"limits,omitempty"`

	// limitSource says what holds where the CRM's own answers tell of another size of a limit than declared: Lowest, the lower of both; Reported, what the CRM
	// says, once several answers have; or Declared, what is declared here, whatever the CRM says. With Declared nothing is held back either for calls that others
	// make: use it where a CRM's answers are wrong. status.windows shows what the CRM says in any case.
	// +optional
	// +default="Lowest"
	LimitSource LimitSource `json:"limitSource,omitempty"`

	// externalPercent of every limit is kept free for callers that nobody has declared, rounded down; guarantees share out the rest. Callers that are known but
	// cannot be rerouted are better declared, as Integrations with route External.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=90
	ExternalPercent *int32 `json:"externalPercent,omitempty"`

	// maxServerDelaySeconds is the longest time after which the CRM may still count a call that was given up on, for example after a time-out: so long it stays
	// charged besides its window. When absent it is what the catalogue knows of the provider (Salesforce lets a call run for 600 seconds), else 60, which fits
	// gateways that end requests after a minute.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	MaxServerDelaySeconds int32 `json:"maxServerDelaySeconds,omitempty"`

	// afterLedgerLoss says what counts as used when the dispatcher's volume was lost and with it the record of what was sent. Bounded takes what was reported
	// last and all that the limits can have let through since, so that no limit is overrun; Spent takes every limit as used up for one window or period; Fresh
	// starts from nothing and may overrun the limits once.
	// +optional
	// +default="Bounded"
	AfterLedgerLoss AfterLedgerLoss `json:"afterLedgerLoss,omitempty"`
}

// TierName names a tier of the catalogue.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=40
// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*$`
type TierName string

// AddOn is something bought besides a tier.
type AddOn struct {
	// name of the add-on in the catalogue.
	// +required
	Name TierName `json:"name,omitempty"`

	// count is how many of it there are; of an add-on that is sold in calls or credits, how many of these.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	Count int64 `json:"count,omitempty"`
}

// NextLicence is the licence that follows.
type NextLicence struct {
	// tier as in licence.tier.
	// +required
	Tier TierName `json:"tier,omitempty"`

	// seats as in licence.seats; they are not taken over from there.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Seats int32 `json:"seats,omitempty"`

	// addOns as in licence.addOns; they are not taken over from there.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	AddOns []AddOn `json:"addOns,omitempty"`

	// from is when it takes the place of the present one.
	// +required
	From *metav1.Time `json:"from,omitempty"`
}

// Limit is one limit of a licence: so many calls, or so many seconds of execution, in a rolling window or in a calendar period, or so many calls at a time.
//
//	# Zendesk: 400 calls a minute; of these 100 updates of tickets, and 30 in 10 minutes of each ticket; 30 jobs queued or running
//	- {name: minute, calls: 400, windowSeconds: 60}
//	- {name: ticket-updates, calls: 100, windowSeconds: 60, match: {operations: [UpdateTicket]}}
//	- {name: per-ticket, calls: 30, windowSeconds: 600, scope: Record, match: {methods: [PUT], path: "/api/v2/tickets/*"}}
//	- {name: jobs, concurrent: 30, until: JobEnds, match: {operations: [CreateTickets]}}
//	# Dataverse: 20 minutes of execution in 5 minutes
//	- {name: execution, executionSeconds: 1200, windowSeconds: 300}
//	# Pipedrive: tokens a day, in a time zone that is not known
//	- {name: tokens, calls: 30000, calendar: {unit: Day}, costs: [{match: {path: "/api/v2/itemSearch"}, cost: 20}]}
//	# Zoho CRM: credits in 24 hours, one for each ten records that are written
//	- {name: credits, calls: 50000, windowSeconds: 86400, costs: [{match: {methods: [POST], path: "/crm/*/*"}, cost: 1, per: {bodyArray: data, items: 10, most: 100}}]}
//	# Intercom: windows of 10 seconds, one after the other
//	- {name: ten-seconds, calls: 1666, windowSeconds: 10, crmCounting: Fixed}
//	# Salesforce: 25 calls of 20 seconds or more; of all calls, because how long one will run is not known before it is sent
//	- {name: long-calls, concurrent: 25}
//
// +kubebuilder:validation:XValidation:rule="(has(self.windowSeconds) ? 1 : 0) + (has(self.calendar) ? 1 : 0) + (has(self.concurrent) ? 1 : 0) == 1",message="exactly one of windowSeconds, calendar, concurrent must be set"
// +kubebuilder:validation:XValidation:rule="has(self.concurrent) ? !has(self.calls) && !has(self.executionSeconds) : has(self.calls) != has(self.executionSeconds)",message="exactly one of calls, executionSeconds is required with windowSeconds or calendar; neither may be set with concurrent"
// +kubebuilder:validation:XValidation:rule="!has(self.until) || has(self.concurrent)",message="until is only for concurrent limits: remove it"
// +kubebuilder:validation:XValidation:rule="self.scope != 'Record' || has(self.calls) && has(self.windowSeconds)",message="scope Record is only for calls in windowSeconds: use another scope"
// +kubebuilder:validation:XValidation:rule="self.scope != 'Record' || has(self.match) && has(self.match.path) && self.match.path.matches('/[*](/|$)')",message="scope Record needs match.path with a '*' that stands for the record, such as /api/v2/tickets/*"
// +kubebuilder:validation:XValidation:rule="self.scope != 'Record' || !has(self.crmCounting) || self.crmCounting in ['Exact', 'Fixed']",message="scope Record can only be counted as Exact or Fixed: set crmCounting to one of them"
// +kubebuilder:validation:XValidation:rule="!has(self.costs) || has(self.calls)",message="costs are only for limits with calls: remove them"
// +kubebuilder:validation:XValidation:rule="!has(self.costs) || !has(self.calls) || self.costs.all(c, c.cost <= self.calls)",message="no cost may be greater than calls: such a call could never be sent"
// +kubebuilder:validation:XValidation:rule="!has(self.crmCounting) || has(self.windowSeconds)",message="crmCounting is only for windowSeconds: remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.crmCounting) || has(self.calls) || self.crmCounting in ['Exact', 'Fixed']",message="executionSeconds can only be counted as Exact or Fixed: set crmCounting to one of them"
// +kubebuilder:validation:XValidation:rule="has(self.burst) == (has(self.crmCounting) && self.crmCounting == 'TokenBucket')",message="burst is required with crmCounting TokenBucket, and must not be set otherwise"
// +kubebuilder:validation:XValidation:rule="!has(self.burst) || !has(self.calls) || self.burst <= self.calls",message="burst must be less than or equal to calls"
// +kubebuilder:validation:XValidation:rule="!has(self.burst) || !has(self.costs) || self.costs.all(c, c.cost <= self.burst)",message="no cost may be greater than burst: such a call could never be sent"
// +kubebuilder:validation:XValidation:rule="!has(self.countingGuardSeconds) || !has(self.concurrent)",message="countingGuardSeconds is only for windowSeconds and calendar: remove it"
type Limit struct {
	// name of the limit, as it appears in status, metrics and events.
	// +required
	Name LimitName `json:"name,omitempty"`

	// calls is how many calls the window or period allows. Where costs are set it is the sum of the costs of calls that it allows: tokens, credits, points.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	Calls int64 `json:"calls,omitempty"`

	// executionSeconds is, in place of calls, how long calls may take altogether in the window or period, as the CRM measures it. What a call will take is not
	// known before it ends, so it is estimated from the calls before and corrected then: status shows such a limit with assurance Estimated.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000000
	ExecutionSeconds int64 `json:"executionSeconds,omitempty"`

	// windowSeconds makes it a rolling limit: in no interval of this length more than calls arrive at the CRM.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2678400
	WindowSeconds int32 `json:"windowSeconds,omitempty"`

	// calendar makes it a limit per calendar period.
	// +optional
	Calendar *CalendarWindow `json:"calendar,omitzero"`

	// concurrent makes it a limit on calls in flight at a time.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Concurrent int32 `json:"concurrent,omitempty"`

	// until is how long a call counts as concurrent: CallEnds, which holds when it is absent, or JobEnds for limits on background jobs, of which each call
	// starts one.
	// +optional
	Until SlotUntil `json:"until,omitempty"`

	// match narrows the limit to some calls; without it all calls count. A call counts in every limit that it matches.
	// +optional
	Match CallMatch `json:"match,omitzero"`

	// scope is Account if the CRM counts all calls together, Credential if it counts those of each of its users or tokens apart, or Record if it counts the
	// calls to each record apart: the last "*" of match.path then names the record. A limit of scope Record is not shared out among integrations.
	// +optional
	// +default="Account"
	Scope LimitScope `json:"scope,omitempty"`

	// costs are what calls take of the limit; the first that matches a call decides, and a call that none matches takes 1.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Costs []CallCost `json:"costs,omitempty"`

	// crmCounting is how the CRM keeps a rolling limit: Exact, which holds when it is absent, or Fixed for windows that follow one another; both are used to
	// the full. TokenBucket for a bucket of burst units that refills evenly, and Approximate for a count estimated from two windows as sliding counters do,
	// refuse calls that come too close together, so calls are spread over time. A CRM that refuses calls below its limit has one of these two.
	// +optional
	CRMCounting CRMCounting `json:"crmCounting,omitempty"`

	// burst is the size of the CRM's token bucket: how many units can be taken at once after a pause.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	Burst int64 `json:"burst,omitempty"`

	// countingGuardSeconds is by how much the CRM may count a call late, its servers' clocks may differ, and its counters are coarse, taken together: so long a
	// call stays charged beyond its window. When absent it is half a second, or a twentieth of a window shorter than 10 seconds. Raise it for a CRM that
	// refuses calls although the limit is kept.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=600
	CountingGuardSeconds int32 `json:"countingGuardSeconds,omitempty"`

	// onExhaustion is Stop, or Alert to let calls pass and count them: for caps that the company sets itself and the CRM does not enforce.
	// +optional
	// +default="Stop"
	OnExhaustion OnExhaustion `json:"onExhaustion,omitempty"`
}

// CalendarWindow is a calendar period in a time zone.
type CalendarWindow struct {
	// unit is the length of the period: Hour, Day or Month of the local calendar. Days of 23 and 25 hours are as long as they are.
	// +required
	Unit CalendarUnit `json:"unit,omitempty"`

	// timeZone is the IANA time zone, such as Europe/Berlin, in which the CRM starts its period. When it is absent the zone is taken as unknown: then no
	// interval as long as the longest period (2 hours, 25 hours, or 31 days and an hour) holds more calls than the limit, wherever the CRM's period begins.
	// +optional
	TimeZone TimeZone `json:"timeZone,omitempty"`
}

// CallMatch selects calls: by the names that the provider has for them, or by path and methods.
// +kubebuilder:validation:ExactlyOneOf=operations;path
// +kubebuilder:validation:XValidation:rule="!has(self.methods) || has(self.path)",message="methods need a path: set path, or use operations alone"
type CallMatch struct {
	// operations are names that the provider knows, for Zendesk CreateTicket among others; docs/crms lists them for each CRM. Generic knows those of
	// generic.bulkCalls.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Operations []OperationName `json:"operations,omitempty"`

	// methods are the HTTP methods that match; any when absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	Methods []HTTPMethod `json:"methods,omitempty"`

	// path is a pattern of the whole path: "*" stands for one segment, "**" at the end for any number of them. For example /api/v2/tickets/*.
	// +optional
	Path PathPattern `json:"path,omitempty"`
}

// CallCost is what some calls take of a limit.
type CallCost struct {
	// match selects the calls.
	// +required
	Match CallMatch `json:"match,omitzero"`

	// cost is how many units of the limit each takes; with per, for each so many of the things in it.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Cost int32 `json:"cost,omitempty"`

	// per has the cost depend on what is in the call, for example a unit for each ten records that it writes. Without it all these calls take the same.
	// +optional
	Per CostPer `json:"per,omitzero"`
}

// CostPer says what is counted in a call, and how many of them are one cost.
// +kubebuilder:validation:ExactlyOneOf=bodyArray;queryNumber;queryList
// +kubebuilder:validation:XValidation:rule="self.most <= 1000 * self.items",message="most must be at most 1000 times items: raise items, and cost with them"
type CostPer struct {
	// bodyArray is the name of a member of the JSON body that is an array: its elements count. "$body" stands for the body, if that is an array itself, "$parts"
	// for the requests in a multipart body, such as an OData $batch, and "$connections" for what a GraphQL query asks for as edges.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[-$_.A-Za-z0-9]+$`
	BodyArray string `json:"bodyArray,omitempty"`

	// queryNumber is a parameter of the query whose number counts, such as per_page.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[-$_.A-Za-z0-9]+$`
	QueryNumber string `json:"queryNumber,omitempty"`

	// queryList is a parameter of the query that lists things, separated by commas, such as include; a call without it lists none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[-$_.A-Za-z0-9]+$`
	QueryList string `json:"queryList,omitempty"`

	// items are one cost; what is left over counts as a full one.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Items int32 `json:"items,omitempty"`

	// most is how many the CRM takes in a call at most. A call that does not say how many it has, or whose body cannot be read, counts as one with so many.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Most int32 `json:"most,omitempty"`

	// plus is how many units such a call takes besides, whatever is in it.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Plus int32 `json:"plus,omitempty"`
}
