// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Callbacks tell receivers of the application what became of its queued calls, by the scheme of Standard Webhooks (standardwebhooks.com), at least once and in any
// order: a call succeeded, failed, was parked, or is dead. What the CRM answered is not told; the link in a callback leads to it.
type Callbacks struct {
	// secretRef names the Secret whose values sign callbacks: each that begins with "whsec_", followed by 24 to 64 random bytes in base64, adds a signature; 4 at
	// most, so that keys are rotated without a gap. It lies in this namespace and is mounted into the dispatcher only, which restarts when it is named for the first
	// time, but not when its content changes. Callbacks wait while it is missing.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`

	// endpoints are the only addresses that are ever told. The first one is told of all queued calls but those whose request names another one in the header
	// Crmquota-Callback.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Endpoints []CallbackEndpoint `json:"endpoints,omitempty"`
}

// CallbackEndpoint is a receiver of callbacks.
type CallbackEndpoint struct {
	// name of the endpoint, as it appears in requests, metrics and logs. What waits for a name that is removed is given up.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// url is told by POST requests. It is https, with a certificate of a public authority, or http to a Service of the cluster. Redirects are not followed.
	// +required
	URL CallbackURL `json:"url,omitempty"`
}

// CallbackURL is the address of a receiver: scheme, host with an optional port, path and query.
// +kubebuilder:validation:MinLength=10
// +kubebuilder:validation:MaxLength=500
// +kubebuilder:validation:Pattern=`^https?://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[-._~A-Za-z0-9%/]*(\?[-._~A-Za-z0-9%/=&+]*)?)?$`
// +kubebuilder:validation:XValidation:rule="self.startsWith('https://') || self.matches('^http://([^./]+|[^/]+[.]svc([.][^/]+)?)(:[0-9]+)?(/.*)?$')",message="url must be https, or http to a name of the cluster, such as http://receiver.namespace.svc/path"
type CallbackURL string
