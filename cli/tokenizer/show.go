package tokenizer

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer"
)

// backgrounds are the colours of neighbouring pieces, of the terminal's 256.
var backgrounds = []int{153, 157, 223, 217, 183, 159}

// showPieces writes the text with its pieces in colours, or in brackets. Pieces that
// are parts of one character are shown as one, with how many they are.
func showPieces(w io.Writer, t tokenizer.Tokenizer, ids []int32, colours bool) {
	n := 0
	for i := 0; i < len(ids); n++ {
		end := i + 1
		text := pieceText(t, ids[i:end])
		for !utf8.ValidString(text) && end < len(ids) && end-i < utf8.UTFMax {
			end++
			text = pieceText(t, ids[i:end])
		}
		if !utf8.ValidString(text) {
			end = i + 1
			text = fmt.Sprintf("\\x%x", pieceText(t, ids[i:end]))
		}
		if end-i > 1 {
			text += fmt.Sprintf("(%d)", end-i)
		}
		if colours {
			visible := strings.NewReplacer("\n", "\u21b5\n", "\t", "\u2192\t", "\x1b", "\\e").Replace(text)
			fmt.Fprintf(w, "\x1b[48;5;%dm\x1b[30m%s\x1b[0m", backgrounds[n%len(backgrounds)], visible)
		} else {
			fmt.Fprintf(w, "[%s]", text)
		}
		i = end
	}
}

// pieceText is the text of ids; of one without text its writing.
func pieceText(t tokenizer.Tokenizer, ids []int32) string {
	if text := t.Decode(nil, ids); len(text) > 0 || len(ids) > 1 {
		return string(text)
	}
	return t.Piece(ids[0])
}
