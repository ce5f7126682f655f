package config

import (
	"fmt"
	"strconv"
	"strings"
)

// migration brings a file's tree from one config_version to the next.
type migration struct {
	from, to string
	apply    func(root *node)
}

// migrations are in order, each starting where the one before ends; the last one
// ends at Version. Files from before there were versions need none: their names
// are aliases.
var migrations []migration

// migrate brings root up to Version, notes each step, and sets its config_version
// accordingly. A version that this build does not know is a problem.
func migrate(root *node, problems *Problems) []Note {
	var version *node
	for _, e := range root.entries {
		if e.key == "config_version" && e.value.kind != kindNull {
			version = e.value
		}
	}
	if version == nil || version.kind >= kindList {
		return nil
	}
	version.kind = kindString // 1.0 without quotes is meant as a version too
	var notes []Note
	for _, m := range migrations {
		if version.text == m.from {
			m.apply(root)
			version.text = m.to
			notes = append(notes, Note{version.place, fmt.Sprintf("config_version %s was migrated to %s", m.from, m.to)})
		}
	}
	if version.text != Version {
		message := fmt.Sprintf("this build reads up to %s, got %q", Version, version.text)
		if newer(version.text, Version) {
			message += ": use a newer codexml"
		}
		*problems = append(*problems, Problem{version.place, "config_version", message})
	}
	return notes
}

// newer compares versions of the form 1.2.
func newer(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, err1 := strconv.Atoi(x[i])
		n, err2 := strconv.Atoi(y[i])
		if err1 != nil || err2 != nil || m != n {
			return err1 == nil && err2 == nil && m > n
		}
	}
	return len(x) > len(y)
}
