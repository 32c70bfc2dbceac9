// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream" //nolint:staticcheck // client-go's dialer still speaks this type
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// dialPod opens one connection to a port of a pod by the API server's port forwarding. A tunnel a connection is dear, but it ends with its pod and needs no
// local port.
func (c *Cluster) dialPod(namespace, pod string, port int) (net.Conn, error) {
	url := c.Clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	tunnel, _, err := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url).Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, fmt.Errorf("forwarding port %d of pod %s: %w", port, pod, err)
	}
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.FormatUint(requestID.Add(1), 10))
	failed, err := tunnel.CreateStream(headers)
	if err != nil {
		return nil, errClosing(tunnel, err)
	}
	go func() {
		// Anything on the error stream is the end of the tunnel.
		if text, err := io.ReadAll(failed); err != nil || len(text) > 0 {
			_ = tunnel.Close()
		}
	}()
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := tunnel.CreateStream(headers)
	if err != nil {
		return nil, errClosing(tunnel, err)
	}
	return &podConn{Stream: data, tunnel: tunnel}, nil
}

var requestID atomic.Uint64

func errClosing(tunnel httpstream.Connection, err error) error {
	_ = tunnel.Close()
	return err
}

// podConn is a net.Conn without deadlines: the clients here set time-outs of their own.
type podConn struct {
	httpstream.Stream
	tunnel httpstream.Connection
}

func (c *podConn) Close() error {
	_ = c.Reset()
	return c.tunnel.Close()
}

func (*podConn) LocalAddr() net.Addr              { return podAddr{} }
func (*podConn) RemoteAddr() net.Addr             { return podAddr{} }
func (*podConn) SetDeadline(time.Time) error      { return nil }
func (*podConn) SetReadDeadline(time.Time) error  { return nil }
func (*podConn) SetWriteDeadline(time.Time) error { return nil }

type podAddr struct{}

func (podAddr) Network() string { return "portforward" }
func (podAddr) String() string  { return "pod" }
