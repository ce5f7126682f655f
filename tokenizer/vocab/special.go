package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/aries-serpent/codexml/internal/fsatomic"
)

// Specials maps special tokens to ids: the content of the side file
// PREFIX.special_tokens.json, which adds tokens to a model that cannot hold them.
type Specials map[string]int32

// SideFile is the path of the side file of a model's prefix.
func SideFile(prefix string) string { return prefix + ".special_tokens.json" }

// LoadSpecials reads a side file; one that is not there is empty. ids finds the id
// of a token that the model itself has: a file of the old form, which maps names
// (pad, bos) to tokens, is read by it.
func LoadSpecials(path string, ids func(token string) (int32, bool)) (Specials, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Specials{}, nil
	}
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%s: want an object of tokens and ids: %w", path, err)
	}
	s := Specials{}
	var missing []string
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		var id int32
		if json.Unmarshal(raw[key], &id) == nil {
			s[key] = id
			continue
		}
		var token string
		if err := json.Unmarshal(raw[key], &token); err != nil || token == "" {
			return nil, fmt.Errorf("%s: %q: want an id, or the text of a token in a file of the old form, got %s", path, key, raw[key])
		}
		if known, ok := ids(token); ok {
			s[token] = known
		} else {
			missing = append(missing, token)
		}
	}
	if err := s.check(path); err != nil {
		return nil, err
	}
	for _, token := range missing {
		s[token] = s.next(0)
	}
	return s, nil
}

// check refuses empty tokens, negative ids and ids that two tokens have.
func (s Specials) check(path string) error {
	owner := map[int32]string{}
	for _, token := range slices.Sorted(maps.Keys(s)) {
		id := s[token]
		if token == "" {
			return fmt.Errorf("%s: a token is empty", path)
		}
		if id < 0 {
			return fmt.Errorf("%s: %q: want an id of 0 or above, got %d", path, token, id)
		}
		if other, ok := owner[id]; ok {
			return fmt.Errorf("%s: %q and %q have one id, %d: give one of them another", path, other, token, id)
		}
		owner[id] = token
	}
	return nil
}

// next is the id of a new token: size or one above all that are used.
func (s Specials) next(size int32) int32 {
	for _, id := range s {
		size = max(size, id+1)
	}
	return size
}

// Add gives tokens that have no id yet the next ones: from size on, or from one
// above the highest that is used. Ids that were given never change.
func (s Specials) Add(size int32, tokens ...string) error {
	for i, token := range tokens {
		if token == "" {
			return fmt.Errorf("special token %d is empty", i)
		}
		if _, ok := s[token]; !ok {
			s[token] = s.next(size)
		}
	}
	return nil
}

// Merge adds the tokens of others in their order of ids. A token that two files
// give different ids keeps the one it has; an id that belongs to two tokens is
// not taken over: the new token gets the next one.
func (s Specials) Merge(size int32, others ...Specials) error {
	for _, other := range others {
		tokens := slices.SortedFunc(maps.Keys(other), func(a, b string) int { return int(other[a]) - int(other[b]) })
		if err := s.Add(size, tokens...); err != nil {
			return err
		}
	}
	return nil
}

// Save writes the side file, atomically, in the order of the tokens.
func (s Specials) Save(path string) error {
	if err := s.check(path); err != nil {
		return err
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}
