package provenance

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Difference is something that is not as a report or manifest has it.
type Difference struct {
	What string `json:"what"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

func (d Difference) String() string { return d.What + ": want " + d.Want + ", got " + d.Got }

// Verify hashes the files that the report names, in the run's folder, again. It
// returns what differs and how many files it looked at.
func (r *Report) Verify(run fs.FS) (differences []Difference, checked int) {
	for _, i := range slices.Concat(r.Inputs, r.Outputs) {
		if i.Path == "" {
			continue
		}
		checked++
		if d := checkFile(run, i.Name, i.Path, i.SHA256); d != (Difference{}) {
			differences = append(differences, d)
		}
	}
	return differences, checked
}

// Compare lists where another run differs in what decides the result (code,
// seeds, inputs) and in the result. Equal inputs with other outputs break the
// promise of reproducibility, unless a build had changes that are in no commit.
func (r *Report) Compare(other *Report) (inputs, outputs []Difference) {
	return differences(r.deciding(), other.deciding()), differences(hashes(r.Outputs), hashes(other.Outputs))
}

// deciding maps the names of what decides the result to values.
func (r *Report) deciding() map[string]string {
	m := hashes(r.Inputs)
	m["code"] = cmp.Or(r.Code.Commit, r.Code.Version)
	if r.Code.Modified {
		m["code"] += " modified"
	}
	for _, s := range r.Seeds {
		m["seed "+s.Name] = fmt.Sprint(s.Value)
	}
	return m
}

func hashes(items []Item) map[string]string {
	m := map[string]string{}
	for _, i := range items {
		m[i.Name] = i.SHA256
	}
	return m
}

// differences compares by name, in the names' order.
func differences(want, got map[string]string) []Difference {
	names := maps.Clone(want)
	maps.Copy(names, got)
	var all []Difference
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if want[name] != got[name] {
			all = append(all, Difference{name, cmp.Or(want[name], "none"), cmp.Or(got[name], "none")})
		}
	}
	return all
}
