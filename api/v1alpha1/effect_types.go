// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// EffectClass says how often a queued call takes effect when answers are lost and processes die.
// +kubebuilder:validation:Enum=AtMostOnce;AtLeastOnce;Once
type EffectClass string

const (
	// EffectAtMostOnce parks a call of which it is not known whether the CRM took it: a second one could have a second effect.
	EffectAtMostOnce EffectClass = "AtMostOnce"
	// EffectAtLeastOnce sends such a call again: it sets what the first one has set, and so changes nothing more.
	EffectAtLeastOnce EffectClass = "AtLeastOnce"
	// EffectOnce sends such a call again with a key by which the CRM knows it, or looks it up first.
	EffectOnce EffectClass = "Once"
)

// OperationEffect says how often queued calls of one operation take effect.
type OperationEffect struct {
	// operation is its name.
	// +required
	Operation OperationName `json:"operation,omitempty"`

	// effect is AtMostOnce (a call in doubt is parked, for people to decide), AtLeastOnce (it is sent again, which changes nothing more) or Once (it is sent again
	// with a key by which the CRM knows it, or looked up first). It is that of calls that only set fields: one that adds something, for instance a comment, is
	// AtMostOnce.
	// +required
	Effect EffectClass `json:"effect,omitempty"`
}
