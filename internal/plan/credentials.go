// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// credentials translates how the dispatcher signs in.
func credentials(spec *v1alpha1.CRMSpec) contract.Credentials {
	c := credentialsOf(spec)
	if adapter, known := provider.ByName(string(spec.Provider)); known && (c.Bearer != nil || c.TokenURL() != "") {
		c.Scheme = adapter.Keys().Scheme
	}
	return c
}

func credentialsOf(spec *v1alpha1.CRMSpec) contract.Credentials {
	switch c := spec.Credentials; {
	case c.Basic != nil:
		return contract.Credentials{Basic: &contract.BasicKeys{Username: string(c.Basic.UsernameKey), Password: string(c.Basic.PasswordKey)}}
	case c.Bearer != nil:
		return contract.Credentials{Bearer: &contract.BearerKeys{Token: string(c.Bearer.TokenKey)}}
	case c.Header != nil:
		return contract.Credentials{Header: &contract.HeaderKeys{Header: c.Header.Name, Value: string(c.Header.ValueKey)}}
	case c.OAuthClient != nil:
		return contract.Credentials{Secret: c.OAuthClient.SecretRef.Name, OAuthClient: &contract.OAuthClientKeys{
			TokenURL: tokenURL(spec, c.OAuthClient.TokenURL),
			ClientID: string(c.OAuthClient.ClientIDKey), ClientSecret: string(c.OAuthClient.ClientSecretKey), Scopes: scopes(c.OAuthClient.Scopes),
		}}
	case c.OAuthRefresh != nil:
		return contract.Credentials{Secret: c.OAuthRefresh.SecretRef.Name, OAuthRefresh: &contract.OAuthRefreshKeys{
			TokenURL: tokenURL(spec, c.OAuthRefresh.TokenURL),
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
