package cmdenv

import "github.com/aries-serpent/codexml/format/hfcache"

// Models finds models that are on this machine.
func (e *Env) Models() hfcache.Finder {
	f := hfcache.Finder{Lookup: e.Lookup, Dir: e.Dir}
	for _, variable := range []string{"HOME", "USERPROFILE"} {
		if home, ok := e.Lookup(variable); ok && f.Home == "" {
			f.Home = home
		}
	}
	return f
}

// FindModel finds a model by its path or name; what is not there is bad input. See
// hfcache.Finder.
func (e *Env) FindModel(name, revision string) (hfcache.Model, error) {
	m, err := e.Models().Find(name, revision)
	return m, BadInput(err)
}
