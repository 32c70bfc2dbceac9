// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"crypto/tls"
	"maps"
	"net"
	"net/http"
	"strconv"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
)

// reply is an answer to be sent.
type reply struct {
	crm.Reply
	// drop says to send nothing: close, or reset, the connection.
	drop drop
}

type drop int

const (
	keep drop = iota
	closeConnection
	resetConnection
)

func (r reply) dropsConnection() bool { return r.drop != keep }

// outageReply is what callers get during an outage, but for a Slow one.
func (s *Server) outageReply(o *scheduled) reply {
	switch o.Kind {
	case Unavailable:
		return reply{Reply: s.crm.Fail(http.StatusServiceUnavailable, "The service is temporarily unavailable")}
	case ServerError:
		return reply{Reply: s.crm.Fail(http.StatusInternalServerError, "An unexpected error occurred")}
	case Reset:
		return reply{Reply: crm.Empty(0), drop: resetConnection}
	case Hang, Slow:
	}
	return reply{Reply: crm.Empty(0), drop: closeConnection}
}

// send writes the reply. It panics with http.ErrAbortHandler, as net/http wants it, where the connection is to be closed.
func (r reply) send(w http.ResponseWriter) {
	if r.drop == resetConnection && resetTCP(w) {
		return
	}
	if r.drop != keep {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), r.Header)
	if r.Status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // the client may have gone; the record is complete
}

// resetTCP ends the connection with RST, where there is a TCP connection that can be taken over (HTTP/1.1).
func resetTCP(w http.ResponseWriter) bool {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // best effort: without it the peer reads EOF, which is as good as a reset
	}
	_ = conn.Close()
	return true
}
