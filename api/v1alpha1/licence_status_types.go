// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LimitOrigin says who a limit comes from.
// +kubebuilder:validation:Enum=Declared;Catalogue
type LimitOrigin string

const (
	// LimitOriginDeclared is a limit of spec.licence.limits.
	LimitOriginDeclared LimitOrigin = "Declared"
	// LimitOriginCatalogue is a limit that the tier implies.
	LimitOriginCatalogue LimitOrigin = "Catalogue"
)

// LicenceStatus is a licence with its limits written out. It is of the last spec that was accepted.
// +kubebuilder:validation:MinProperties=1
type LicenceStatus struct {
	// tier in force: that of spec.licence, or of its next once that has begun. Absent where all limits are declared.
	// +optional
	Tier TierName `json:"tier,omitempty"`

	// nextTier follows at nextTime; absent where no other is declared.
	// +optional
	NextTier TierName `json:"nextTier,omitempty"`

	// nextTime is when nextTier takes the place of tier.
	// +optional
	NextTime *metav1.Time `json:"nextTime,omitempty"`

	// limits in force.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Limits []LicenceLimitStatus `json:"limits,omitempty"`
}

// LicenceLimitStatus is one limit of a licence, and where it comes from.
type LicenceLimitStatus struct {
	// name of the limit.
	// +required
	Name LimitName `json:"name,omitempty"`

	// allows is the limit in words, for example "400 calls in 60 s" or "30 at a time".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	Allows string `json:"allows,omitempty"`

	// origin is Declared or Catalogue.
	// +optional
	Origin LimitOrigin `json:"origin,omitempty"`

	// source is the document that a figure of the catalogue was read in.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Source string `json:"source,omitempty"`

	// confidence of a figure of the catalogue: Vendor (read in the vendor's own text), ThirdParty (in somebody else's), General (common knowledge) or Unconfirmed.
	// +optional
	// +kubebuilder:validation:Enum=Vendor;ThirdParty;General;Unconfirmed
	Confidence string `json:"confidence,omitempty"`
}
