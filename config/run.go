// Package config loads the typed tree of a run: from a YAML file and dotted
// overrides, with the names of the Python system as aliases. Whatever is unknown,
// mistyped, given twice or out of range is refused, all of it at once, with the
// place where it stands; nothing that was written is ever ignored. The commands
// call it and hand the sections to the components, which own them.
//
// The package reads the files it is given and nothing else, keeps no state, is
// deterministic, and safe for concurrent use.
package config

import (
	"errors"
	"fmt"

	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/optim"
	"github.com/aries-serpent/codexml/train"
)

// Version is the config_version that this build writes.
const Version = "1.0"

//go:generate go test -run ^TestGenerated$ -update .

// Run is everything that decides a run's result. A file that leaves a key out,
// or sets it to null, means the default.
type Run struct {
	// ConfigVersion is the version of this file's form. A file without it is read as the newest, an older one is migrated.
	ConfigVersion string `yaml:"config_version"`

	// Model is what is trained: architecture, sizes, initial weights.
	Model model.Config `yaml:"model"`
	// Tokenizer is what turns text into tokens.
	Tokenizer Tokenizer `yaml:"tokenizer"`
	// Data is where the text comes from and how it is split and packed.
	Data data.Config `yaml:"data"`
	// Training is how long, in which portions and how precisely it is trained, and what is kept.
	Training train.Config `yaml:"training"`
	// Optimizer is how gradients become steps, and the course of the learning rate.
	Optimizer optim.Config `yaml:"optimizer"`

	// overridden are the keys that overrides set, sorted.
	overridden []string
}

// Default is the run of an empty file.
func Default() *Run {
	return &Run{
		ConfigVersion: Version, Model: model.DefaultConfig(), Tokenizer: DefaultTokenizer(), Data: data.DefaultConfig(),
		Training: train.DefaultConfig(), Optimizer: optim.DefaultConfig(),
	}
}

// Validate reports every problem of every section.
func (r *Run) Validate() error {
	var version error
	if r.ConfigVersion != Version {
		version = fmt.Errorf("config_version: want %s, got %q", Version, r.ConfigVersion)
	}
	return errors.Join(version, r.Model.Validate(), r.Tokenizer.Validate(), r.Data.Validate(), r.Training.Validate(), r.Optimizer.Validate())
}

// Overridden lists the keys that overrides set when the run was loaded, by their
// full names, sorted.
func (r *Run) Overridden() []string { return r.overridden }
