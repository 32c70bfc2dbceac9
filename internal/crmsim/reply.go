// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"crypto/tls"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// reply is an answer to be sent.
type reply struct {
	status int
	header http.Header
	body   []byte
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

// ok is a reply with a JSON body.
func ok(status int, body any) reply {
	encoded, err := json.Marshal(body)
	if err != nil {
		return failure(http.StatusInternalServerError, "InternalError", err.Error())
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json; charset=utf-8")
	return reply{status: status, header: header, body: encoded}
}

// failure is an error in Zendesk's form.
func failure(status int, name, description string) reply {
	return ok(status, struct {
		Error       string `json:"error"`
		Description string `json:"description,omitempty"`
	}{name, description})
}

func tooManyRequests(retry time.Duration) reply {
	r := failure(http.StatusTooManyRequests, "APIRateLimitExceeded", "Number of allowed API requests per minute exceeded")
	r.header.Set("Retry-After", seconds(max(retry, time.Second)))
	return r
}

// answer is what callers get during an outage, but for a Slow one.
func (o *scheduled) answer() reply {
	switch o.Kind {
	case Unavailable:
		return failure(http.StatusServiceUnavailable, "ServiceUnavailable", "The service is temporarily unavailable")
	case ServerError:
		return failure(http.StatusInternalServerError, "InternalServerError", "An unexpected error occurred")
	case Reset:
		return reply{header: http.Header{}, drop: resetConnection}
	case Hang, Slow:
	}
	return reply{header: http.Header{}, drop: closeConnection}
}

// send writes the reply. It panics with http.ErrAbortHandler, as net/http wants it, where the connection is to be closed.
func (r reply) send(w http.ResponseWriter) {
	if r.drop == resetConnection && resetTCP(w) {
		return
	}
	if r.drop != keep {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), r.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // the client may have gone; the record is complete
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
