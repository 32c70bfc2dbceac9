// Package build compiles the pinned programs once and keeps them in the user's cache folder, so that a second run,
// another checkout and a clean clone take no time.
package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/filelock"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/image"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

// Builder builds components into the cache and links them into the repository's bin folder.
type Builder struct {
	Paths   layout.Paths
	Printer *progress.Printer
	// Prepare is called before a component is compiled (not when it is in the cache), to install what that needs.
	Prepare func(context.Context, catalogue.Component) error
}

// Ensure makes every component present and linked. It compiles what the cache does not hold under its present key.
// Any number of Ensure calls, in any number of processes, may run at once: one compiles, the others wait for it.
func (b *Builder) Ensure(ctx context.Context, components []catalogue.Component) error {
	started, built := time.Now(), 0
	toolchains := map[string]string{}
	for _, c := range components {
		if toolchains[c.Module] == "" {
			t, err := toolchain(ctx, b.Paths.Module(c.Module))
			if err != nil {
				return err
			}
			toolchains[c.Module] = t
		}
		compiled, err := b.ensure(ctx, c, toolchains[c.Module])
		if err != nil {
			return fmt.Errorf("build %s: %w", c.Name, err)
		}
		if compiled {
			built++
		}
	}
	b.Printer.Note("binaries: %d built, %d taken from the cache, in %s: %s", built, len(components)-built, progress.Elapsed(time.Since(started)), b.Paths.Binaries)
	return nil
}

// ensure makes one component present and linked, and says whether it had to be compiled.
func (b *Builder) ensure(ctx context.Context, c catalogue.Component, toolchain string) (compiled bool, err error) {
	recipe, err := newRecipe(c, b.Paths.Module(c.Module), toolchain)
	if err != nil {
		return false, err
	}
	store := filepath.Join(b.Paths.Cache, "binaries", c.Name)
	entry := filepath.Join(store, recipe.key)
	if !exists(entry) {
		if compiled, err = b.fill(ctx, recipe, store, entry); err != nil {
			return false, err
		}
	}
	return compiled, b.link(c, entry)
}

// fill compiles the recipe into the cache entry, unless another process did so while we waited for the lock.
func (b *Builder) fill(ctx context.Context, r recipe, store, entry string) (compiled bool, err error) {
	if err := os.MkdirAll(store, 0o755); err != nil {
		return false, err
	}
	task := b.Printer.Start(r.Name)
	task.Update("waiting for another build of it")
	unlock, err := filelock.Lock(ctx, filepath.Join(store, ".lock"))
	if err != nil {
		task.Fail()
		return false, err
	}
	defer unlock()
	if exists(entry) {
		task.Done("built by another process")
		return false, nil
	}
	if err := b.compileInto(ctx, r, store, entry, task); err != nil {
		task.Fail()
		return false, err
	}
	task.Done("built, " + size(filepath.Join(entry, r.Name)))
	return true, nil
}

// compileInto builds beside the entry and moves the result into place in one step: a killed build leaves no entry.
func (b *Builder) compileInto(ctx context.Context, r recipe, store, entry string, task *progress.Task) error {
	const unfinished = ".unfinished"
	temp := filepath.Join(store, unfinished) // ours alone, by the lock
	if err := errors.Join(os.RemoveAll(temp), os.Mkdir(temp, 0o755)); err != nil {
		return err
	}
	if b.Prepare != nil {
		if err := b.Prepare(ctx, r.Component); err != nil {
			return err
		}
	}
	binary := filepath.Join(temp, r.Name)
	if err := compile(ctx, r, binary, task); err != nil {
		return err
	}
	if r.Image != nil {
		files := []image.File{{Source: binary, Path: "/" + r.Name}}
		if _, err := image.Write(filepath.Join(temp, imageFile), *r.Image, files); err != nil {
			return err
		}
	}
	return os.Rename(temp, entry)
}

// imageFile is an image's name within its cache entry.
const imageFile = "image.tar"

// link points the repository's bin folder to the cache entry.
func (b *Builder) link(c catalogue.Component, entry string) error {
	if c.Image != nil {
		return symlink(filepath.Join(entry, imageFile), layout.ImageFile(b.Paths.Binaries, c.Name))
	}
	return symlink(filepath.Join(entry, c.Name), filepath.Join(b.Paths.Binaries, c.Name))
}

// symlink makes link point to target, replacing what was there in one step.
func symlink(target, link string) error {
	if current, err := os.Readlink(link); err == nil && current == target {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	temp := fmt.Sprintf("%s.new-%d", link, os.Getpid())
	if err := errors.Join(os.RemoveAll(temp), os.Symlink(target, temp)); err != nil {
		return err
	}
	return os.Rename(temp, link)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func size(file string) string {
	info, err := os.Stat(file)
	if err != nil {
		return "of unknown size"
	}
	return fmt.Sprintf("%d MiB", info.Size()>>20)
}
