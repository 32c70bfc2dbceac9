// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// BatchingMode says when queued calls go together in one bulk call.
// +kubebuilder:validation:Enum=WhenWaiting;Always;Off
type BatchingMode string

const (
	// BatchingWhenWaiting lets those go together that wait at the same time anyway.
	BatchingWhenWaiting BatchingMode = "WhenWaiting"
	// BatchingAlways has each wait for others to go with.
	BatchingAlways BatchingMode = "Always"
	// BatchingOff sends each by itself.
	BatchingOff BatchingMode = "Off"
)

// UpdateFolding says what becomes of queued updates of the same record.
// +kubebuilder:validation:Enum=Separate;Folded
type UpdateFolding string

const (
	// UpdatesSeparate sends each.
	UpdatesSeparate UpdateFolding = "Separate"
	// UpdatesFolded makes one of those that wait, in which the later fields hold.
	UpdatesFolded UpdateFolding = "Folded"
)

// BatchSharing says whose calls go together in one bulk call.
// +kubebuilder:validation:Enum=SameIntegration;AcrossIntegrations
type BatchSharing string

const (
	// SharingSameIntegration has those of one integration go together.
	SharingSameIntegration BatchSharing = "SameIntegration"
	// SharingAcrossIntegrations has them go together with those of others that allow it, too.
	SharingAcrossIntegrations BatchSharing = "AcrossIntegrations"
)

// Batching says how queued calls of this integration are merged into bulk calls, where the CRM has some and they are fewer. Calls that somebody waits for are never
// merged.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="self.mode != 'Off' || !has(self.maxItems) && !has(self.operations)",message="maxItems and operations must not be set with mode Off, under which nothing is merged"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Off' || !has(self.updates) || self.updates == 'Separate'",message="updates: Folded must not be set with mode Off, under which nothing is merged"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Off' || !has(self.sharing) || self.sharing == 'SameIntegration'",message="sharing: AcrossIntegrations must not be set with mode Off, under which nothing is merged"
type Batching struct {
	// mode is WhenWaiting to let queued calls go together that wait at the same time anyway: none is held back that could go now, except while a day's or a month's
	// limit is forecast to run out before it renews. Always has each wait for others, up to maxLingerSeconds. Off sends each by itself.
	// +optional
	// +default="WhenWaiting"
	Mode BatchingMode `json:"mode,omitempty"`

	// maxItems is how many calls go together at most. When it is absent, as many as the CRM takes: Zendesk 100.
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=1000
	MaxItems int32 `json:"maxItems,omitempty"`

	// maxLingerSeconds is how long a queued call is held back for others to go with, from its acceptance on.
	// +optional
	// +default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=60
	MaxLingerSeconds int32 `json:"maxLingerSeconds,omitempty"`

	// operations are those whose calls are merged. When it is absent, all that the provider can merge, but those whose form is unconfirmed: they have to be
	// named. Zendesk: CreateTicket, UpdateTicket. Salesforce: creations, updates, upserts and deletions of one record; such calls of objects without names of
	// their own are merged, too, when it is absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Operations []OperationName `json:"operations,omitempty"`

	// updates is Separate to send each queued update, or Folded to make one update of those of the same record that wait in a row: of a field that several set, the last
	// one holds. Each caller gets the answer to that one update. What the CRM does because of an update, such as triggers and entries in the record's history, it does
	// once then. Updates that do more than set plain fields, such as add a comment, are not folded, and none is folded past them. Zendesk, Salesforce, HubSpot.
	// +optional
	// +default="Separate"
	Updates UpdateFolding `json:"updates,omitempty"`

	// sharing is SameIntegration to send calls of this integration in bulk calls of its own, or AcrossIntegrations to send them together with those of other integrations
	// of the CRM that have it, too, whose calls go out as the same user of the CRM. Each is charged for so many of the shared calls as come of its part of their items.
	// Calls of different integrations are not put into a bulk call of which the CRM takes all items or none.
	// +optional
	// +default="SameIntegration"
	Sharing BatchSharing `json:"sharing,omitempty"`
}
