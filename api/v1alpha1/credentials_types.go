// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// TokenURL is a token endpoint: scheme, host with an optional port, and path.
// +kubebuilder:validation:MinLength=10
// +kubebuilder:validation:MaxLength=500
// +kubebuilder:validation:Pattern=`^https?://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[-._~A-Za-z0-9]+)+$`
type TokenURL string

// Scope is an OAuth scope (RFC 6749 3.3).
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=200
// +kubebuilder:validation:Pattern=`^[!#-\[\]-~]+$`
type Scope string

// OAuthClientCredentials is the client credentials grant of OAuth 2 (RFC 6749 4.4).
type OAuthClientCredentials struct {
	// secretRef names the Secret.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`

	// tokenURL is where access tokens come from. It must be https unless the endpoint is plain http itself, and its host must be on the Secret's list of hosts
	// if there is one. Zendesk, Salesforce, HubSpot and ServiceNow have it at the endpoint: at /oauth/tokens, /services/oauth2/token, /oauth/2026-03/token and
	// /oauth_token.do unless set.
	// +optional
	TokenURL TokenURL `json:"tokenURL,omitempty"`

	// clientIDKey is the Secret's key that holds the client's identifier.
	// +optional
	// +default="client-id"
	ClientIDKey SecretKey `json:"clientIDKey,omitempty"`

	// clientSecretKey is the Secret's key that holds the client's secret.
	// +optional
	// +default="client-secret"
	ClientSecretKey SecretKey `json:"clientSecretKey,omitempty"`

	// scopes to ask for; what the CRM grants without being asked when empty.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Scopes []Scope `json:"scopes,omitempty"`
}

// OAuthRefreshCredentials is the refresh token grant of OAuth 2 (RFC 6749 6).
type OAuthRefreshCredentials struct {
	// secretRef names the Secret.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`

	// tokenURL is where access tokens come from. It must be https unless the endpoint is plain http itself, and its host must be on the Secret's list of hosts
	// if there is one. Zendesk, Salesforce, HubSpot and ServiceNow have it at the endpoint: at /oauth/tokens, /services/oauth2/token, /oauth/2026-03/token and
	// /oauth_token.do unless set.
	// +optional
	TokenURL TokenURL `json:"tokenURL,omitempty"`

	// clientIDKey is the Secret's key that holds the client's identifier.
	// +optional
	// +default="client-id"
	ClientIDKey SecretKey `json:"clientIDKey,omitempty"`

	// clientSecretKey is the Secret's key that holds the client's secret. Newer refresh tokens are encrypted with a key made from it: when it changes, put a new
	// refresh token into the Secret with it.
	// +optional
	// +default="client-secret"
	ClientSecretKey SecretKey `json:"clientSecretKey,omitempty"`

	// refreshTokenKey is the Secret's key that holds the refresh token which a user's authorisation gave.
	// +optional
	// +default="refresh-token"
	RefreshTokenKey SecretKey `json:"refreshTokenKey,omitempty"`
}

// OAuthJWTCredentials is the JWT bearer grant of OAuth 2 (RFC 7523). Assertions are signed by RS256.
type OAuthJWTCredentials struct {
	// secretRef names the Secret.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`

	// tokenURL is where access tokens come from, for Salesforce https://<My Domain>.my.salesforce.com/services/oauth2/token. It must be https unless the endpoint
	// is plain http itself, and its host must be on the Secret's list of hosts if there is one.
	// +required
	TokenURL TokenURL `json:"tokenURL,omitempty"`

	// audience of the assertions, for Salesforce https://login.salesforce.com, or https://test.salesforce.com for sandboxes. tokenURL when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	// +kubebuilder:validation:Pattern=`^[!-~]+$`
	Audience string `json:"audience,omitempty"`

	// clientIDKey is the Secret's key that holds the client's identifier, which Salesforce calls the consumer key.
	// +optional
	// +default="client-id"
	ClientIDKey SecretKey `json:"clientIDKey,omitempty"`

	// privateKeyKey is the Secret's key that holds an RSA private key in PEM, without a passphrase.
	// +optional
	// +default="private-key"
	PrivateKeyKey SecretKey `json:"privateKeyKey,omitempty"`

	// subjectKey is the Secret's key that holds the name of the user that the client acts for. It is not a field here because it decides what may be done.
	// +optional
	// +default="subject"
	SubjectKey SecretKey `json:"subjectKey,omitempty"`

	// scopes to ask for; what the CRM grants without being asked when empty.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Scopes []Scope `json:"scopes,omitempty"`
}
