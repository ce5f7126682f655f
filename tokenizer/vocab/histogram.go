package vocab

import (
	"fmt"
	"io"
	"strings"
)

// buckets gathers lengths from a limit on.
func buckets(lengths []Length, limit int) []Length {
	var out []Length
	for _, l := range lengths {
		if l.Bytes >= limit && len(out) > 0 && out[len(out)-1].Bytes == limit {
			out[len(out)-1].Pieces += l.Pieces
			continue
		}
		out = append(out, Length{min(l.Bytes, limit), l.Pieces})
	}
	return out
}

// longestShown is the last length with a bar of its own.
const longestShown = 24

func label(bytes int) string {
	if bytes == longestShown {
		return fmt.Sprintf("%d+", bytes)
	}
	return fmt.Sprint(bytes)
}

// WriteHistogram draws how many pieces have which length, for a terminal of width
// columns.
func WriteHistogram(w io.Writer, lengths []Length, width int) error {
	bars := buckets(lengths, longestShown)
	most := 1
	for _, b := range bars {
		most = max(most, b.Pieces)
	}
	room := max(width-20, 10)
	for _, b := range bars {
		bar := strings.Repeat("#", (b.Pieces*room+most-1)/most)
		if _, err := fmt.Fprintf(w, "%4s %7d  %s\n", label(b.Bytes), b.Pieces, bar); err != nil {
			return err
		}
	}
	return nil
}

// SVGHistogram draws the same as a picture.
func SVGHistogram(title string, lengths []Length) []byte {
	const barWidth, height, margin = 24, 240, 40
	bars := buckets(lengths, longestShown)
	most := 1
	for _, b := range bars {
		most = max(most, b.Pieces)
	}
	var out strings.Builder
	width := 2*margin + barWidth*len(bars)
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="10">`+"\n", width, height+2*margin)
	fmt.Fprintf(&out, `<title>%s</title><text x="%d" y="20" font-size="13">%s</text>`+"\n", escapeXML(title), margin, escapeXML(title))
	for i, b := range bars {
		h := (b.Pieces*height + most - 1) / most
		x := margin + i*barWidth
		fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%d" height="%d" fill="#4472a8"><title>%s bytes: %d pieces</title></rect>`, x, margin+height-h, barWidth-3, h, label(b.Bytes), b.Pieces)
		fmt.Fprintf(&out, `<text x="%d" y="%d">%s</text>`+"\n", x, margin+height+14, label(b.Bytes))
	}
	fmt.Fprintf(&out, `<text x="%d" y="%d">bytes of a piece; at most %d pieces in a bar</text>`+"\n</svg>\n", margin, margin+height+30, most)
	return []byte(out.String())
}

func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
