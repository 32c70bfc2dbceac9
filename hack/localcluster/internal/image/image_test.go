package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestImageHoldsTheFilesAndRunsTheFirst(t *testing.T) {
	dir := t.TempDir()
	app := write(t, dir, "app", "the program", 0o755)
	data := write(t, dir, "data", "some data", 0o640)
	out := filepath.Join(dir, "images", "app.tar")
	_, err := Write(out, Config{Tag: "localhost/app:dev", User: "65532:65532"}, []File{{app, "/bin/app"}, {data, "/etc/app/data"}})
	if err != nil {
		t.Fatal(err)
	}
	img, err := tarball.ImageFromPath(out, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{User: "65532:65532", Entrypoint: []string{"/bin/app"}, WorkingDir: "/"}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if config.OS != "linux" || config.Architecture != runtime.GOARCH {
		t.Errorf("made for %s/%s", config.OS, config.Architecture)
	}
	wantFiles := []string{
		"tmp/ dtrwxrwxrwx 0 ",
		"bin/ drwxr-xr-x 0 ",
		"bin/app -rwxr-xr-x 0 the program",
		"etc/ drwxr-xr-x 0 ",
		"etc/app/ drwxr-xr-x 0 ",
		"etc/app/data -rw-r----- 0 some data",
	}
	if diff := cmp.Diff(wantFiles, contents(t, img)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestSameInputGivesTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	app := write(t, dir, "app", "the program", 0o755)
	build := func(name string) string {
		out := filepath.Join(dir, name)
		if _, err := Write(out, Config{Tag: "localhost/app:dev"}, []File{{app, "/app"}}); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	first := build("first.tar")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(app, later, later); err != nil {
		t.Fatal(err)
	}
	if second := build("second.tar"); first != second {
		t.Error("an image of the same content differs")
	}
	if err := os.WriteFile(app, []byte("another program"), 0o755); err != nil {
		t.Fatal(err)
	}
	if third := build("third.tar"); first == third {
		t.Error("an image of another content does not differ")
	}
}

func TestAnEntrypointCanBeGiven(t *testing.T) {
	dir := t.TempDir()
	app, out := write(t, dir, "app", "x", 0o755), filepath.Join(dir, "app.tar")
	if _, err := Write(out, Config{Tag: "localhost/app:dev", Entrypoint: "/other"}, []File{{app, "/app"}, {app, "/other"}}); err != nil {
		t.Fatal(err)
	}
	img, err := tarball.ImageFromPath(out, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/other"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entrypoint (-want +got):\n%s", diff)
	}
}

func TestBadInputLeavesNoImage(t *testing.T) {
	dir := t.TempDir()
	app := write(t, dir, "app", "x", 0o755)
	for name, test := range map[string]struct {
		tag   string
		files []File
		want  string
	}{
		"no files":         {"localhost/app:dev", nil, "at least one file"},
		"no tag":           {"localhost/app", []File{{app, "/app"}}, "image name"},
		"a missing source": {"localhost/app:dev", []File{{filepath.Join(dir, "absent"), "/app"}}, "absent"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "app.tar")
			_, err := Write(out, Config{Tag: test.tag}, test.files)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one about %q", err, test.want)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestParseFile(t *testing.T) {
	for arg, want := range map[string]File{
		"bin/app=/app":     {"bin/app", "/app"},
		"a=/usr/bin/b":     {"a", "/usr/bin/b"},
		"bin/app":          {},
		"=/app":            {},
		"bin/app=app":      {},
		"bin/app=/":        {},
		"bin/app=/../etc/": {},
	} {
		got, err := ParseFile(arg)
		if got != want || (err != nil) != (want == File{}) {
			t.Errorf("ParseFile(%q) = %+v, %v; want %+v", arg, got, err, want)
		}
	}
}

// contents lists the files of an image's layers: name, mode, modification time, content.
func contents(t *testing.T, img v1.Image) []string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, layer := range layers {
		reader, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		archive := tar.NewReader(reader)
		for {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, fmt.Sprintf("%s %s %d %s", header.Name, header.FileInfo().Mode(), header.ModTime.Unix(), content))
		}
	}
	return files
}

func write(t *testing.T, dir, name, content string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return file
}
