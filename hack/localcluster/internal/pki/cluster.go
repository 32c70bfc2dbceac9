package pki

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"net"
	"net/netip"
	"time"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

// Names of the cluster's key pairs, and of the users who have a kubeconfig.
const (
	CA                = "ca"
	FrontProxyCA      = "front-proxy-ca"
	APIServer         = "kube-apiserver"
	APIServerKubelet  = "kube-apiserver-kubelet-client"
	FrontProxyClient  = "front-proxy-client"
	KubeletServer     = "kubelet-server"
	Kubelet           = "kubelet"
	Admin             = "admin"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Proxy             = "kube-proxy"
	Provisioner       = "volume-provisioner"
	ServiceAccounts   = "service-accounts"
)

// KubeletClientsGroup is bound to the rights that the API server needs at the kubelet, for logs and exec.
const KubeletClientsGroup = "localcluster:kubelet-clients"

// Users are the key pairs that authenticate to the API server by a kubeconfig.
func Users() []string {
	return []string{Admin, Kubelet, ControllerManager, Scheduler, Proxy, Provisioner}
}

// NewCluster makes all key pairs of a cluster with the given addresses, by name. That of ServiceAccounts has a bare
// public key in place of a certificate: it signs tokens.
func NewCluster(networks layout.Networks, now time.Time) (map[string]Pair, error) {
	ca, caPair, err := NewAuthority(CA, now)
	if err != nil {
		return nil, err
	}
	frontProxy, frontProxyPair, err := NewAuthority(FrontProxyCA, now)
	if err != nil {
		return nil, err
	}
	tokens, err := newTokenKey()
	if err != nil {
		return nil, err
	}
	pairs := map[string]Pair{CA: caPair, FrontProxyCA: frontProxyPair, ServiceAccounts: tokens}
	if pairs[FrontProxyClient], err = frontProxy.Issue(Subject{CommonName: FrontProxyClient}, now); err != nil {
		return nil, err
	}
	for name, subject := range subjects(networks) {
		if pairs[name], err = ca.Issue(subject, now); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// subjects lists what the cluster's authority certifies. Names and organizations are those that the API server's
// built-in roles are bound to.
func subjects(networks layout.Networks) map[string]Subject {
	return map[string]Subject{
		APIServer: {
			CommonName: APIServer,
			DNS:        []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
			IPs:        ips(netip.AddrFrom4([4]byte{127, 0, 0, 1}), networks.NodeIP, networks.API),
		},
		KubeletServer:     {CommonName: layout.NodeName, DNS: []string{layout.NodeName}, IPs: ips(networks.NodeIP)},
		APIServerKubelet:  {CommonName: APIServerKubelet, Organizations: []string{KubeletClientsGroup}},
		Kubelet:           {CommonName: "system:node:" + layout.NodeName, Organizations: []string{"system:nodes"}},
		Admin:             {CommonName: "localcluster-admin", Organizations: []string{"system:masters"}},
		ControllerManager: {CommonName: "system:kube-controller-manager"},
		Scheduler:         {CommonName: "system:kube-scheduler"},
		Proxy:             {CommonName: "system:kube-proxy"},
		Provisioner:       {CommonName: "localcluster:" + Provisioner},
	}
}

// newTokenKey makes the key that signs service-account tokens; clients of the cluster expect RS256.
func newTokenKey() (Pair, error) {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return Pair{}, err
	}
	private, err := encodeKey(key)
	if err != nil {
		return Pair{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return Pair{}, err
	}
	return Pair{Certificate: encode("PUBLIC KEY", public), Key: private}, nil
}

func ips(addresses ...netip.Addr) []net.IP {
	list := make([]net.IP, 0, len(addresses))
	for _, a := range addresses {
		list = append(list, a.AsSlice())
	}
	return list
}
