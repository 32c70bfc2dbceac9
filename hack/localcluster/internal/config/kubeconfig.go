package config

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/pki"
)

// Kubeconfig returns a self-contained kubeconfig file for a user. ca is the authority's certificate (PEM), server the
// API server's host and port.
func Kubeconfig(server, user string, ca []byte, pair pki.Pair) ([]byte, error) {
	const name = "localcluster"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: "https://" + server, CertificateAuthorityData: ca}
	file.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: pair.Certificate, ClientKeyData: pair.Key}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: user}
	file.CurrentContext = name
	out, err := clientcmd.Write(*file)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", user, err)
	}
	return out, nil
}
