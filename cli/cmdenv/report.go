package cmdenv

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Report ends a command: with --json it prints result as one object on one line
// of standard output, otherwise it lets people write the same for people.
func (e *Env) Report(result any, people func(w io.Writer)) error {
	if e.JSON {
		return e.PrintJSON(result)
	}
	var text strings.Builder
	people(&text)
	if _, err := io.WriteString(e.Out, text.String()); err != nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	return nil
}

// PrintJSON writes value on one line of standard output.
func (e *Env) PrintJSON(value any) error {
	enc := json.NewEncoder(e.Out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	return nil
}

// Note prints a line for people on standard error: something they should know
// that is neither result nor failure. With --json nobody reads it, so it is left
// out; what a program must know belongs in the result.
func (e *Env) Note(format string, args ...any) {
	if !e.JSON {
		fmt.Fprintf(e.Err, format+"\n", args...)
	}
}

// Table lays out rows for people. Columns are as wide as their widest cell; a
// column whose cells are all numbers stands at the right.
type Table struct {
	head []string
	rows [][]string
}

// NewTable returns a table with the given column heads; without any, no head is printed.
func NewTable(head ...string) *Table { return &Table{head: head} }

// Row adds a row; every cell is printed as by fmt.Sprint.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, row)
}

// WriteTo prints the table.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	width, right := t.columns()
	var text strings.Builder
	rows := t.rows
	if len(t.head) > 0 {
		rows = append([][]string{t.head}, rows...)
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if right[i] {
				line.WriteString(pad + cell + "  ")
			} else {
				line.WriteString(cell + pad + "  ")
			}
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	n, err := io.WriteString(w, text.String())
	return int64(n), err
}

// columns returns the width of every column and whether it is one of numbers.
func (t *Table) columns() (width []int, right []bool) {
	grow := func(row []string) {
		for i, cell := range row {
			if i == len(width) {
				width, right = append(width, 0), append(right, len(t.rows) > 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	grow(t.head)
	for _, row := range t.rows {
		grow(row)
		for i, cell := range row {
			right[i] = right[i] && numeric(cell)
		}
	}
	return width, right
}

func numeric(cell string) bool {
	return cell == "" || cell == "-" || strings.Trim(cell, "0123456789.,+-%e") == ""
}

// Bytes writes a size for people: 1.5 GiB.
func Bytes[T ~int64 | ~uint64 | ~int](n T) string {
	const units = "KMGTPE"
	f, i := float64(n), -1
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i < 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
