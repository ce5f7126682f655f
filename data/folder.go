package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// ReadFolder reads the text files below a folder, each of them a document named by
// its path from there. Symbolic links are not followed.
func ReadFolder(dir string, c Config) (*Corpus, error) {
	corpus, err := ReadFS(os.DirFS(dir), c)
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, err)
	}
	return corpus, nil
}

// ReadFS reads the text files of a file system as ReadFolder does, in the order of
// their paths. Binary files are left out and counted.
func ReadFS(fsys fs.FS, c Config) (*Corpus, error) {
	names, skipped, err := list(fsys, c)
	if err != nil {
		return nil, err
	}
	corpus, err := gather(len(names), c, func(i int) part {
		text, err := fs.ReadFile(fsys, names[i])
		if err != nil {
			return part{err: fmt.Errorf("read text: %w", err)}
		}
		if isBinary(text) {
			return part{stats: ReadStats{Binary: 1}}
		}
		return c.cleaned(names[i], text)
	})
	if err != nil {
		return nil, err
	}
	corpus.Stats.add(skipped)
	return corpus, nil
}

// list returns the paths of the files that the configuration takes, sorted.
func list(fsys fs.FS, c Config) (names []string, skipped ReadStats, err error) {
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && !fs.ValidPath(name):
			skipped.Special++
			return fs.SkipDir
		case err != nil:
			return err
		case name != "." && slices.Contains(c.Exclude, d.Name()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		case !d.Type().IsRegular() || !fs.ValidPath(name):
			skipped.Special++
			return nil
		case !c.wants(name):
			return nil
		}
		fits, err := c.sized(d)
		if err != nil {
			return err
		}
		if fits {
			names = append(names, name)
		} else {
			skipped.WrongSize++
		}
		return nil
	})
	if err != nil {
		return nil, skipped, fmt.Errorf("list files: %w", err)
	}
	slices.Sort(names)
	return names, skipped, nil
}

func (c Config) wants(name string) bool {
	if len(c.Extensions) == 0 {
		return true
	}
	base := path.Base(name)
	return slices.ContainsFunc(c.Extensions, func(ext string) bool { return strings.HasSuffix(base, ext) })
}

func (c Config) sized(d fs.DirEntry) (bool, error) {
	if c.MinFileBytes == 0 && c.MaxFileBytes == 0 {
		return true, nil
	}
	info, err := d.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%w: the folder changes while it is being read", err)
	}
	if err != nil {
		return false, err
	}
	return info.Size() >= c.MinFileBytes && (c.MaxFileBytes == 0 || info.Size() <= c.MaxFileBytes), nil
}
