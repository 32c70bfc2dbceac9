// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// ReadSharing says what becomes of equal calls that only read.
// +kubebuilder:validation:Enum=WhileWaiting;Never
type ReadSharing string

// Ways to treat equal calls that only read.
const (
	// ShareWhileWaiting makes them one call to the CRM as long as that was not sent.
	ShareWhileWaiting ReadSharing = "WhileWaiting"
	// ShareNever sends each of them.
	ShareNever ReadSharing = "Never"
)

// Reads says how calls that only read are saved.
// +kubebuilder:validation:MinProperties=1
type Reads struct {
	// share says what becomes of a GET without a body while an equal one, by target and headers, of this integration waits for its turn: WhileWaiting makes them
	// one call to the CRM, whose answer all of them get. A call that was sent already is never joined, so no answer is older than that to a call of its own. Never
	// sends each.
	// +optional
	// +default="WhileWaiting"
	Share ReadSharing `json:"share,omitempty"`

	// cache keeps answers for a while, so that equal calls of this integration within it need none of their own. The first entry that matches a call decides;
	// calls that no entry matches are not kept. What is kept may be older than what the CRM holds, by as much as seconds says.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Cache []CachedRead `json:"cache,omitempty"`
}

// CachedRead says for how long answers to GET calls are kept: to an operation that the provider names, or to a path.
// +kubebuilder:validation:ExactlyOneOf=operation;path
type CachedRead struct {
	// operation is a name that the provider knows, of an operation that only reads by GET, for Zendesk SearchUsers among others;
	// docs/crms lists them for each CRM.
	// +optional
	Operation OperationName `json:"operation,omitempty"`

	// path is a pattern of the whole path: "*" stands for one segment, "**" at the end for any number of them. For example /api/v2/users/*.
	// +optional
	Path PathPattern `json:"path,omitempty"`

	// seconds is how long an answer is used again. After that the CRM is asked whether it still holds, if it gave it an ETag, which is a call as any other.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	Seconds int32 `json:"seconds,omitempty"`
}
