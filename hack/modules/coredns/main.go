// Command coredns is CoreDNS with only the plugins that a one-node test cluster uses: two thirds of the full build's size and time.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	// The order is the order in which a query passes the plugins, whatever the order in the Corefile:
	// template stands before kubernetes, so the two must not share a server block.
	dnsserver.Directives = []string{"health", "ready", "errors", "cache", "template", "kubernetes"}
	coremain.Run()
}
