package normalize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// charsmap is SentencePiece's precompiled map: what to write for which text. The
// format is the trie's size in bytes (4 bytes, little endian), the trie, then the
// texts to write, each ended by a zero byte. A value of the trie is an offset into
// the texts.
type charsmap struct {
	trie  trie
	texts []byte
}

// maxReplacement bounds what a character may become. Unicode's longest is 33
// bytes; a hostile file could make a short text fill the memory.
const maxReplacement = 4096

func parseCharsmap(data []byte) (charsmap, error) {
	if len(data) < 4 {
		return charsmap{}, fmt.Errorf("precompiled charsmap: want a size of 4 bytes and a trie, got %d bytes", len(data))
	}
	size := int64(binary.LittleEndian.Uint32(data))
	data = data[4:]
	size = size / 4 * 4
	if size == 0 || size > int64(len(data)) {
		return charsmap{}, fmt.Errorf("precompiled charsmap: its trie has %d bytes, of %d that follow", size, len(data))
	}
	m := charsmap{readTrie(data[:size]), data[size:]}
	if !utf8.Valid(m.texts) {
		return charsmap{}, errors.New("precompiled charsmap: the texts to write are not UTF-8")
	}
	for text := range bytes.SplitSeq(m.texts, []byte{0}) {
		if len(text) > maxReplacement {
			return charsmap{}, fmt.Errorf("precompiled charsmap: it writes %d bytes for one character, want at most %d", len(text), maxReplacement)
		}
	}
	return m, nil
}

// text returns the text at a value of the trie.
func (m *charsmap) text(value int) (text []byte, ok bool) {
	if value >= len(m.texts) {
		return nil, false
	}
	text = m.texts[value:]
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	return text, true
}

// shortest finds the text to write for the shortest key that text begins with.
func (m *charsmap) shortest(text []byte) (to []byte, ok bool) {
	node := m.trie.root()
	for _, b := range text {
		next, value, found := m.trie.step(node, b)
		if !found || b == 0 {
			return nil, false
		}
		if value >= 0 {
			return m.text(value)
		}
		node = next
	}
	return nil, false
}

// maxKeys is how many keys that are prefixes of one another SentencePiece looks
// at.
const maxKeys = 32

// longest finds the text to write for the longest key that text begins with, and
// the key's length.
func (m *charsmap) longest(text []byte) (to []byte, n int, ok bool) {
	node, found := m.trie.root(), 0
	best := -1
	for i, b := range text {
		next, value, more := m.trie.step(node, b)
		if !more {
			break
		}
		if value >= 0 {
			best, n = value, i+1
			if found++; found == maxKeys {
				break
			}
		}
		node = next
	}
	if best < 0 {
		return nil, 0, false
	}
	to, ok = m.text(best)
	return to, n, ok
}
