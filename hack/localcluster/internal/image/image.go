// Package image packs files into container images FROM scratch, without a daemon, a registry or root. The same input
// gives the same bytes: all times are zero and the order is fixed.
package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Config says what an image is called and what it runs.
type Config struct {
	// Tag is the image's full name, registry and tag included ("localhost/app:dev").
	Tag string
	// User runs the program, as "uid" or "uid:gid"; empty means root.
	User string
	// Entrypoint is the program's path in the image; empty means the first file.
	Entrypoint string
}

// File is one file of an image.
type File struct {
	// Source is the file on this machine; its permission bits are kept.
	Source string
	// Path is its absolute path in the image.
	Path string
}

// ParseFile reads the form "src=/dst" of a file.
func ParseFile(arg string) (File, error) {
	src, dst, found := strings.Cut(arg, "=")
	if !found || src == "" || !path.IsAbs(dst) || path.Clean(dst) != dst || dst == "/" {
		return File{}, fmt.Errorf("%q is not of the form source=/absolute/path", arg)
	}
	return File{Source: src, Path: dst}, nil
}

// Write packs files into an image and stores it at out, in the format of "docker save", replacing out in one step. It
// returns the image's digest.
func Write(out string, config Config, files []File) (digest string, err error) {
	if len(files) == 0 {
		return "", errors.New("an image needs at least one file: give source=/path")
	}
	tag, err := name.NewTag(config.Tag, name.StrictValidation)
	if err != nil {
		return "", fmt.Errorf("image name %q: %w", config.Tag, err)
	}
	layer, err := pack(files)
	if err != nil {
		return "", err
	}
	img, err := assemble(layer, config, files)
	if err != nil {
		return "", err
	}
	hash, err := img.Digest()
	if err != nil {
		return "", err
	}
	if err := store(out, tag, img); err != nil {
		return "", err
	}
	return hash.String(), nil
}

// assemble makes the image of one layer. The layer stays uncompressed: the image never travels, and compressing and
// unpacking would cost more than the disk saves.
func assemble(layer []byte, config Config, files []File) (v1.Image, error) {
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(layer, types.DockerUncompressedLayer))
	if err != nil {
		return nil, err
	}
	base, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	entrypoint := config.Entrypoint
	if entrypoint == "" {
		entrypoint = files[0].Path
	}
	described := base.DeepCopy()
	described.OS, described.Architecture = "linux", runtime.GOARCH
	described.Config = v1.Config{User: config.User, Entrypoint: []string{entrypoint}, WorkingDir: "/"}
	return mutate.ConfigFile(img, described)
}

func store(out string, tag name.Tag, img v1.Image) error {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(out), ".image-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already when all went well
	if err := errors.Join(tarball.Write(tag, img, temp), temp.Chmod(0o644), temp.Close()); err != nil {
		return fmt.Errorf("write image %s: %w", out, err)
	}
	return os.Rename(temp.Name(), out)
}

// pack makes the layer: an empty, writable /tmp, the folders, and the files in the given order.
func pack(files []File) ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	made := map[string]bool{"/": true}
	if err := makeDir(archive, made, "/tmp", 0o1777); err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := makeDir(archive, made, path.Dir(file.Path), 0o755); err != nil {
			return nil, err
		}
		if err := addFile(archive, file); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// makeDir adds dir and its parents, each once.
func makeDir(archive *tar.Writer, made map[string]bool, dir string, mode int64) error {
	if made[dir] {
		return nil
	}
	if err := makeDir(archive, made, path.Dir(dir), 0o755); err != nil {
		return err
	}
	made[dir] = true
	return archive.WriteHeader(&tar.Header{
		Typeflag: tar.TypeDir, Name: strings.TrimPrefix(dir, "/") + "/", Mode: mode, ModTime: time.Unix(0, 0),
	})
}

func addFile(archive *tar.Writer, file File) error {
	content, err := os.ReadFile(file.Source)
	if err != nil {
		return err
	}
	info, err := os.Stat(file.Source)
	if err != nil {
		return err
	}
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: strings.TrimPrefix(file.Path, "/"),
		Mode: int64(info.Mode() & fs.ModePerm), Size: int64(len(content)), ModTime: time.Unix(0, 0),
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = archive.Write(content)
	return err
}
