// Package layout says where everything is: folders of the repository and of a cluster's state, networks and names.
package layout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Paths are the absolute folders the tool works with.
type Paths struct {
	// Root is the repository's top folder.
	Root string
	// Binaries holds links to the built binaries, and images/ with links to the built images. It serves as
	// KUBEBUILDER_ASSETS too.
	Binaries string
	// Cache holds the built binaries themselves, by the hash of what they were built from.
	Cache string
	// State is the default folder of the cluster's state.
	State string
}

// modules marks the repository's top folder and holds the Go modules that pin what is built.
const modules = "hack/modules"

// Find returns the paths of the repository that contains dir. It fails when dir is outside the repository or when
// the user has no cache folder.
func Find(dir string) (Paths, error) {
	root, err := findRoot(dir)
	if err != nil {
		return Paths{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Paths{}, fmt.Errorf("no folder to keep built binaries in: %w; set XDG_CACHE_HOME or HOME", err)
	}
	return Paths{
		Root:     root,
		Binaries: filepath.Join(root, "bin", "k8s"),
		Cache:    filepath.Join(cache, "crm-quota-operator"),
		State:    filepath.Join(root, "bin", "cluster"),
	}, nil
}

// Module returns the folder of the named pinned module.
func (p Paths) Module(name string) string {
	return filepath.Join(p.Root, filepath.FromSlash(modules), name)
}

// ImageFile returns the file of a built image in the folder of binaries.
func ImageFile(binaries, name string) string {
	return filepath.Join(binaries, "images", name+".tar")
}

func findRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for d := start; ; d = filepath.Dir(d) {
		_, err := os.Stat(filepath.Join(d, filepath.FromSlash(modules)))
		if err == nil {
			return d, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("%s is not inside the repository (no %s above it): run this from the repository", start, modules)
		}
	}
}
