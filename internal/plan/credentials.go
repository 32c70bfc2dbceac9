// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// credentials translates how the dispatcher signs in to a CRM.
func credentials(c v1alpha1.Credentials, crm *v1alpha1.CRMSpec) contract.Credentials {
	out := credentialsOf(c, crm)
	if adapter, known := provider.ByName(string(crm.Provider)); known && (out.Bearer != nil || out.TokenURL() != "") {
		out.Scheme = adapter.Keys().Scheme
	}
	return out
}

func credentialsOf(c v1alpha1.Credentials, crm *v1alpha1.CRMSpec) contract.Credentials {
	switch {
	case c.Basic != nil:
		return contract.Credentials{Basic: &contract.BasicKeys{Username: string(c.Basic.UsernameKey), Password: string(c.Basic.PasswordKey)}}
	case c.Bearer != nil:
		return contract.Credentials{Bearer: &contract.BearerKeys{Token: string(c.Bearer.TokenKey)}}
	case c.Header != nil:
		return contract.Credentials{Header: &contract.HeaderKeys{Header: c.Header.Name, Value: string(c.Header.ValueKey)}}
	case c.OAuthClient != nil:
		return contract.Credentials{Secret: c.OAuthClient.SecretRef.Name, OAuthClient: &contract.OAuthClientKeys{
			TokenURL: tokenURL(crm, c.OAuthClient.TokenURL),
			ClientID: string(c.OAuthClient.ClientIDKey), ClientSecret: string(c.OAuthClient.ClientSecretKey), Scopes: scopes(c.OAuthClient.Scopes),
		}}
	case c.OAuthRefresh != nil:
		return contract.Credentials{Secret: c.OAuthRefresh.SecretRef.Name, OAuthRefresh: &contract.OAuthRefreshKeys{
			TokenURL: tokenURL(crm, c.OAuthRefresh.TokenURL),
			ClientID: string(c.OAuthRefresh.ClientIDKey), ClientSecret: string(c.OAuthRefresh.ClientSecretKey),
			RefreshToken: string(c.OAuthRefresh.RefreshTokenKey),
		}}
	case c.OAuthJWT != nil:
		return contract.Credentials{Secret: c.OAuthJWT.SecretRef.Name, OAuthJWT: &contract.OAuthJWTKeys{
			TokenURL: string(c.OAuthJWT.TokenURL), Audience: c.OAuthJWT.Audience,
			ClientID: string(c.OAuthJWT.ClientIDKey), PrivateKey: string(c.OAuthJWT.PrivateKeyKey), Subject: string(c.OAuthJWT.SubjectKey),
			Scopes: scopes(c.OAuthJWT.Scopes),
		}}
	}
	return contract.Credentials{}
}

// ownCredentials translates those of an Integration; nil if its calls go out with the CRM's, because it names none or the same.
func ownCredentials(c v1alpha1.Credentials, crm *v1alpha1.CRMSpec) *contract.Credentials {
	if c == (v1alpha1.Credentials{}) || equality.Semantic.DeepEqual(c, crm.Credentials) {
		return nil
	}
	own := credentials(c, crm)
	own.Own, own.Secret = true, CredentialsSecret(c)
	return &own
}

// CredentialsSecret names the Secret of whichever kind of credentials is set.
func CredentialsSecret(c v1alpha1.Credentials) string {
	switch {
	case c.Basic != nil:
		return c.Basic.SecretRef.Name
	case c.Bearer != nil:
		return c.Bearer.SecretRef.Name
	case c.Header != nil:
		return c.Header.SecretRef.Name
	case c.OAuthClient != nil:
		return c.OAuthClient.SecretRef.Name
	case c.OAuthRefresh != nil:
		return c.OAuthRefresh.SecretRef.Name
	case c.OAuthJWT != nil:
		return c.OAuthJWT.SecretRef.Name
	}
	return ""
}

// judgeCredentials finds what only CRM and provider can tell of an Integration's own credentials: for those of a CRM the API server sees both.
func judgeCredentials(entry *contract.Integration, head *contract.Plan) Decision {
	c := entry.Credentials
	if c == nil {
		return accepted
	}
	asks := c.OAuthClient != nil || c.OAuthRefresh != nil || c.OAuthJWT != nil
	switch {
	case asks && c.TokenURL() == "":
		return Decision{v1alpha1.ReasonUnusableCredentials, fmt.Sprintf(
			"credentials: tokenURL is required: it does not follow from the endpoint of provider %s", head.CRM.Provider)}
	case asks && strings.HasPrefix(c.TokenURL(), "http://") && !strings.HasPrefix(head.Endpoint, "http://"):
		return Decision{v1alpha1.ReasonUnusableCredentials, "credentials: tokenURL must be https unless the CRM's endpoint is plain http itself"}
	}
	return accepted
}

// credentialsFit bounds what the credentials and callbacks of all entries take: each Secret is mounted, and each user of the CRM has the limits of scope Credential for
// itself.
func (a *admission) credentialsFit(entry *contract.Integration) Decision {
	if len(entry.Users(a.head)) == 0 && entry.Callbacks == nil {
		return accepted
	}
	with := contract.Plan{Credentials: a.head.Credentials, Integrations: []contract.Integration{*entry}}
	for key, other := range a.inForce {
		if key != entry.Key() {
			with.Integrations = append(with.Integrations, other.entry)
		}
	}
	secrets, counted := len(with.OwnSecrets()), 0
	for _, limits := range [][]contract.Limit{a.head.Limits, a.head.FollowingLimits()} {
		with.Limits = limits
		counted = max(counted, with.CountedLimits())
	}
	if secrets > contract.MaxOwnSecrets || counted > contract.MaxCountedLimits {
		return Decision{v1alpha1.ReasonTooManyCredentials, fmt.Sprintf(
			"credentials, callbacks: with those of the other integrations of CRM %s there are %d Secrets to mount, of at most %d, and %d limits to count, of at most %d: let some integrations use the same",
			a.head.CRM.Name, secrets, contract.MaxOwnSecrets, counted, contract.MaxCountedLimits)}
	}
	return accepted
}

// tokenURL is the one declared or, where the provider knows it, the one that the endpoint has.
func tokenURL(spec *v1alpha1.CRMSpec, declared v1alpha1.TokenURL) string {
	if adapter, known := provider.ByName(string(spec.Provider)); known && declared == "" && adapter.TokenPath() != "" {
		return spec.Endpoint + adapter.TokenPath()
	}
	return string(declared)
}

func scopes(declared []v1alpha1.Scope) []string {
	var texts []string
	for _, s := range declared {
		texts = append(texts, string(s))
	}
	return texts
}
