// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	// dialTimeout bounds connection and handshake: the pod is in the same cluster.
	dialTimeout = 3 * time.Second
	// answerTimeout bounds an answer beyond the time that it is held back.
	answerTimeout = 5 * time.Second
)

// What can be wrong with a dispatcher. The texts appear in conditions: they name neither addresses nor times.
var (
	errNoConnection = errors.New("the dispatcher's report port cannot be reached")
	errCertificate  = errors.New("the dispatcher's certificate is not signed by the CA that was pinned for its volume")
)

// reportClient reads the report of one dispatcher.
type reportClient struct {
	target    Target
	token     func() (string, error)
	transport *http.Transport
	// presented is the chain of the last handshake.
	presented []*x509.Certificate
}

func newReportClient(target Target, token func() (string, error)) *reportClient {
	r := &reportClient{target: target, token: token}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: target.ServerName,
		VerifyConnection: func(state tls.ConnectionState) error {
			r.presented = state.PeerCertificates
			return nil
		},
	}
	if target.CA != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(target.CA))
	} else {
		// First use of this volume: get checks the chain against the CA that the dispatcher names, which is pinned from then on.
		config.InsecureSkipVerify = true
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	r.transport = &http.Transport{
		DialContext:         dialer.DialContext,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: dialTimeout,
		MaxConnsPerHost:     1,
		// What was presented before the dispatcher had its first plan does not name its Service: each attempt looks anew until the CA is pinned.
		DisableKeepAlives: target.CA == "",
		IdleConnTimeout:   time.Minute,
	}
	return r
}

func (r *reportClient) close() { r.transport.CloseIdleConnections() }

// get asks for the report, which the dispatcher holds back for up to hold until it has a plan of at least sequence in force. It returns the CA that the
// dispatcher's certificate is signed by, too.
func (r *reportClient) get(ctx context.Context, sequence int64, hold time.Duration) (*contract.Report, string, error) {
	ctx, cancel := context.WithTimeout(ctx, hold+dialTimeout+answerTimeout)
	defer cancel()
	request, err := r.request(ctx, sequence, hold)
	if err != nil {
		return nil, "", err
	}
	response, err := r.transport.RoundTrip(request)
	if err != nil {
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return nil, "", errCertificate
		}
		return nil, "", errNoConnection
	}
	defer response.Body.Close() //nolint:errcheck // the body was read as far as it is needed
	if response.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("the dispatcher answers its manager with status %d", response.StatusCode)
	}
	report, err := contract.ReadReport(response.Body)
	if err != nil {
		return nil, "", err
	}
	ca, err := r.authority(report)
	return report, ca, err
}

func (r *reportClient) request(ctx context.Context, sequence int64, hold time.Duration) (*http.Request, error) {
	query := url.Values{"after": {strconv.FormatInt(sequence, 10)}, "wait": {strconv.Itoa(int(hold.Seconds()))}}
	target := url.URL{Scheme: "https", Host: r.target.Address, Path: contract.ReportPath, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, errNoConnection
	}
	token, err := r.token()
	if err != nil {
		return nil, errors.New("the manager's own token cannot be read")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

// authority is the pinned CA or, on first use, the one that the dispatcher names in its report or sends along in its chain.
func (r *reportClient) authority(report *contract.Report) (string, error) {
	if r.target.CA != "" {
		return r.target.CA, nil
	}
	named := []byte(report.Certificate.CAPEM)
	if len(named) == 0 {
		named = lastOf(r.presented)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(named) || len(r.presented) == 0 {
		return "", errCertificate
	}
	_, err := r.presented[0].Verify(x509.VerifyOptions{Roots: pool, DNSName: r.target.ServerName})
	if err != nil {
		return "", errCertificate
	}
	return string(named), nil
}

func lastOf(chain []*x509.Certificate) []byte {
	if len(chain) == 0 {
		return nil
	}
	var encoded bytes.Buffer
	_ = pem.Encode(&encoded, &pem.Block{Type: "CERTIFICATE", Bytes: chain[len(chain)-1].Raw}) // a Buffer takes everything
	return encoded.Bytes()
}
