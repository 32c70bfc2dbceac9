// Package host is the machine's side of a cluster: routes, the cable to the node, control groups, and the node's first
// process. Whatever it makes it can also find and remove again.
package host
