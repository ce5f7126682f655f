package data

import (
	"errors"
	"fmt"
)

// Load reads the documents that the configuration names and splits them. Data given
// by val_path and test_path is not split off, but is refused if a document of it is
// identical or near-identical to one of another side.
func Load(c Config) (*Splits, ReadStats, error) {
	if err := c.Validate(); err != nil {
		return nil, ReadStats{}, err
	}
	source, err := readNonEmpty("source_path", c.SourcePath, c)
	if err != nil {
		return nil, ReadStats{}, err
	}
	o := c.SplitOptions()
	var given Splits
	for _, held := range []struct {
		key, path string
		docs      *[]Document
		share     *Share
	}{{"val_path", c.ValPath, &given.Validation, &o.Validation}, {"test_path", c.TestPath, &given.Test, &o.Test}} {
		if held.path == "" {
			continue
		}
		whole := c // of data for evaluation, every shard sees all
		whole.Shard, whole.MaxItems = Shard{Total: 1}, 0
		corpus, err := readNonEmpty(held.key, held.path, whole)
		if err != nil {
			return nil, ReadStats{}, err
		}
		*held.docs, *held.share = corpus.Documents, Share{}
	}
	s, err := Split(source.Documents, o)
	if err != nil {
		return nil, ReadStats{}, err
	}
	if err := s.hold(given, c.NearDuplicate); err != nil {
		return nil, ReadStats{}, err
	}
	return s, source.Stats, nil
}

// hold puts data given for evaluation into the split.
func (s *Splits) hold(given Splits, similarity float64) error {
	if given.Validation == nil && given.Test == nil {
		return nil
	}
	if given.Validation != nil {
		s.Validation = given.Validation
	}
	if given.Test != nil {
		s.Test = given.Test
	}
	return CheckLeaks(similarity, Side{"train", s.Train}, Side{"validation", s.Validation}, Side{"test", s.Test})
}

func readNonEmpty(key, path string, c Config) (*Corpus, error) {
	corpus, err := Read(path, c)
	if err != nil {
		return nil, fmt.Errorf("data.%s: %w", key, err)
	}
	if len(corpus.Documents) == 0 {
		return nil, fmt.Errorf("data.%s: %w: %s has no documents that data's keys take (of its files, %s)", key, ErrEmpty, path, corpus.Stats)
	}
	return corpus, nil
}

// String says what was read and what was left out.
func (s ReadStats) String() string {
	text := fmt.Sprintf("%d read: %d documents, %d bytes", s.Files, s.Documents, s.Bytes)
	for _, skipped := range []struct {
		n    int
		what string
	}{{s.Binary, "binary"}, {s.InvalidUTF8, "not UTF-8"}, {s.WrongSize, "of another size"}, {s.Special, "special"}, {s.Empty, "empty"}} {
		if skipped.n > 0 {
			text += fmt.Sprintf(", %d %s", skipped.n, skipped.what)
		}
	}
	return text
}

// SplitOptions are those that the configuration asks for.
func (c Config) SplitOptions() SplitOptions {
	return SplitOptions{
		Seed:       uint64(c.ShuffleSeed),
		Validation: Share{c.SplitRatios.Validation, c.MaxValidationBytes},
		Test:       Share{c.SplitRatios.Test, c.MaxTestBytes},
		Similarity: c.NearDuplicate,
	}
}

// TokenSplits are token files by use; Validation and Test may be nil.
type TokenSplits struct{ Train, Validation, Test *Tokens }

// Close closes the files.
func (s *TokenSplits) Close() error {
	var errs []error
	for _, t := range []*Tokens{s.Train, s.Validation, s.Test} {
		if t != nil {
			errs = append(errs, t.Close())
		}
	}
	return errors.Join(errs...)
}

// OpenTokenSplits opens and verifies the token files that the configuration names.
// They must be of one tokenizer and share no document, as Load demands of texts. Token
// files are not split.
func OpenTokenSplits(c Config) (*TokenSplits, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &TokenSplits{}
	err := s.open(c)
	if err == nil {
		err = s.check(c.NearDuplicate)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *TokenSplits) open(c Config) error {
	for _, f := range []struct {
		key, path string
		to        **Tokens
	}{{"source_path", c.SourcePath, &s.Train}, {"val_path", c.ValPath, &s.Validation}, {"test_path", c.TestPath, &s.Test}} {
		if f.path == "" {
			continue
		}
		if format := c.FormatOf(f.path); format != "tokens" {
			return fmt.Errorf("data.%s: %s is %s, want tokens as the other paths: token files and texts do not mix", f.key, f.path, format)
		}
		t, err := openVerified(f.path)
		if err != nil {
			return fmt.Errorf("data.%s: %w", f.key, err)
		}
		*f.to = t
	}
	return nil
}

// check demands one tokenizer and no shared documents.
func (s *TokenSplits) check(similarity float64) error {
	var files []*Tokens
	var doc []int
	var side []string
	for _, f := range []struct {
		name string
		t    *Tokens
	}{{"train", s.Train}, {"validation", s.Validation}, {"test", s.Test}} {
		if f.t == nil {
			continue
		}
		if want, got := s.Train.TokenizerSHA256(), f.t.TokenizerSHA256(); want != got {
			return fmt.Errorf("%s is of tokenizer %s, and %s of %s: encode both with one", s.Train.path, want, f.t.path, got)
		}
		for i := range f.t.Documents() {
			files, doc, side = append(files, f.t), append(doc, i), append(side, f.name)
		}
	}
	if s.Validation == nil && s.Test == nil {
		return nil
	}
	in := items{
		n:        len(doc),
		bytes:    func(i int) []byte { return files[i].document(doc[i]) },
		shingles: func(dst []uint64, i int) []uint64 { return tokenShingles(dst, files[i], doc[i]) },
	}
	return leaks(in, similarity, side, func(i int32) string { return fmt.Sprintf("document %d", doc[i]) })
}
