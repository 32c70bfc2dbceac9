// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// BulkEffect says what becomes of a bulk call's items when one of them fails.
// +kubebuilder:validation:Enum=Each;AllOrNone
type BulkEffect string

const (
	// BulkEffectEach has each item succeed or fail by itself.
	BulkEffectEach BulkEffect = "Each"
	// BulkEffectAllOrNone has no item take effect if one fails.
	BulkEffectAllOrNone BulkEffect = "AllOrNone"
)

// PlainPath is a path without patterns, parameters and a query, such as /v1/invoices.
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^(/[-._~:@$A-Za-z0-9]+)+$`
type PlainPath string

// PlainMemberPath is the path of one member in a JSON document: names from the root with "/" between them.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^[^/*]+(/[^/*]+){0,7}$`
type PlainMemberPath string

// BulkCall tells how single calls that each make one record become one call that makes many. The API answers it with 2xx and a list of results, one for each item in the
// order of the items; an answer with 4xx must mean that none took effect.
// +kubebuilder:validation:XValidation:rule="self.path != self.bulkPath",message="bulkPath must be another path than path"
// +kubebuilder:validation:XValidation:rule="(self.effect == 'Each') == has(self.outcome)",message="outcome is required for effect Each and must not be set for AllOrNone, of which a 2xx answer says that all succeeded"
type BulkCall struct {
	// operation is a name for the single calls, such as CreateInvoice. batching.operations, overflow.operations and limits can use it.
	// +required
	Operation OperationName `json:"operation,omitempty"`

	// path of the single calls. They are POST, have no query, and their body is a JSON object.
	// +required
	Path PlainPath `json:"path,omitempty"`

	// record is the only member of a single call's body, and of its answer, which holds the record. When absent, body and answer are the record.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[^/*]+$`
	Record string `json:"record,omitempty"`

	// bulkPath is where the bulk call is sent, with POST.
	// +required
	BulkPath PlainPath `json:"bulkPath,omitempty"`

	// maxItems is how many records the API takes in one call.
	// +required
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=1000
	MaxItems int32 `json:"maxItems,omitempty"`

	// items is the member of the bulk call's body with the list of records. When absent, the body is the list.
	// +optional
	Items PlainMemberPath `json:"items,omitempty"`

	// results is the member of the answer with the list of results. When absent, the answer is the list.
	// +optional
	Results PlainMemberPath `json:"results,omitempty"`

	// id is the member of a result with the record's ID. What became of an item without one is unknown.
	// +required
	ID PlainMemberPath `json:"id,omitempty"`

	// answer is the member of a result that its caller is answered with. When absent, it is the whole result.
	// +optional
	Answer PlainMemberPath `json:"answer,omitempty"`

	// effect is Each if items succeed and fail one by one, or AllOrNone if none takes effect when one fails.
	// +required
	Effect BulkEffect `json:"effect,omitempty"`

	// outcome tells by a result whether its item succeeded or failed, for effect Each. A call whose item failed is sent by itself.
	// +optional
	Outcome *BulkOutcome `json:"outcome,omitzero"`
}

// BulkOutcome tells what became of an item by a member of its result. An item whose member has none of the values may have taken effect or not: its call is parked.
// +kubebuilder:validation:XValidation:rule="!self.succeeded.exists(v, v in self.failed)",message="a value must not be in both succeeded and failed"
type BulkOutcome struct {
	// path of the member.
	// +required
	Path PlainMemberPath `json:"path,omitempty"`

	// succeeded are its values in results of items that took effect.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Succeeded []MemberValue `json:"succeeded,omitempty"`

	// failed are its values in results of items that surely took no effect.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Failed []MemberValue `json:"failed,omitempty"`
}
