package host

import (
	"errors"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func isNotFound(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound)
}

func isGone(err error) bool {
	return isNotFound(err) || errors.Is(err, unix.ENODEV)
}
