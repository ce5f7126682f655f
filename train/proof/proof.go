// Package proof trains the same run in different ways and compares the bits: other
// numbers of threads, other splits of the global batch, other CPU tiers, with and
// without recomputation, interrupted and resumed. quickstart and verify call it.
// It belongs to one goroutine.
package proof

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/train"
)

// Variant is a way to compute a run that must not change its result.
type Variant struct {
	Name      string
	Dtype     string // the run's own, which does change the result
	Threads   int
	BatchSize int // of the global batch
	GradAccum int
	Recompute string
	Tier      cpu.Tier
	Resume    int // interrupt after that many steps and go on from the checkpoint; 0: do not
}

// Row is a variant's outcome.
type Row struct {
	Variant string `json:"variant"`
	Dtype   string `json:"dtype"`
	train.Hashes
	Equal bool `json:"equal"`
}

// Build makes a fresh trainer for a variant and a func that gives its memory and
// pool back.
type Build func(v Variant) (t *train.Trainer, release func(), err error)

// Variants lists the ways that this machine can compute a run of the given global
// batch: base first, then everything that differs from it in one point.
func Variants(base Variant, globalBatch, steps int, tiers []cpu.Tier) []Variant {
	base.Name = fmt.Sprintf("threads=%d batch=%dx%d tier=%v recompute=%s", base.Threads, base.BatchSize, base.GradAccum, base.Tier, base.Recompute)
	all := []Variant{base}
	add := func(name string, change func(v *Variant)) {
		v := base
		v.Name = name
		change(&v)
		v.Name = name
		rename := v
		rename.Name = base.Name
		if rename != base {
			all = append(all, v)
		}
	}
	for threads := 1; threads <= 3; threads++ {
		add(fmt.Sprintf("threads=%d", threads), func(v *Variant) { v.Threads = threads })
	}
	for batch := globalBatch; batch >= 1; batch-- {
		if globalBatch%batch == 0 {
			add(fmt.Sprintf("batch=%dx%d", batch, globalBatch/batch), func(v *Variant) { v.BatchSize, v.GradAccum = batch, globalBatch/batch })
		}
	}
	for _, tier := range tiers {
		add("tier="+tier.String(), func(v *Variant) { v.Tier = tier })
	}
	for _, recompute := range []string{"none", "cheap", "block"} {
		add("recompute="+recompute, func(v *Variant) { v.Recompute = recompute })
	}
	if steps > 1 {
		add(fmt.Sprintf("resumed after step %d", steps/2), func(v *Variant) { v.Resume = steps / 2 })
	}
	return all
}

// Run trains every variant for a number of steps and compares it with the first of
// its dtype. show is called with each row as it comes; dir is an empty folder for
// the checkpoint of a resumed variant.
func Run(build Build, variants []Variant, steps int, dir string, show func(Row)) (rows []Row, equal bool, err error) {
	equal = true
	first := map[string]train.Hashes{}
	for _, v := range variants {
		hashes, err := runVariant(build, v, steps, filepath.Join(dir, fmt.Sprint(len(rows))))
		if err != nil {
			return rows, false, fmt.Errorf("%s: %w", v.Name, err)
		}
		if _, ok := first[v.Dtype]; !ok {
			first[v.Dtype] = hashes
		}
		row := Row{Variant: v.Name, Dtype: v.Dtype, Hashes: hashes, Equal: hashes == first[v.Dtype]}
		equal = equal && row.Equal
		rows = append(rows, row)
		show(row)
	}
	return rows, equal, nil
}

func runVariant(build Build, v Variant, steps int, dir string) (train.Hashes, error) {
	defer kernel.Use(v.Tier)()
	t, release, err := build(v)
	if err != nil {
		return train.Hashes{}, err
	}
	defer func() { release() }()
	for t.Next < steps {
		if _, err := t.Step(); err != nil {
			return train.Hashes{}, err
		}
		if t.Next != v.Resume {
			continue
		}
		if err := save(t, dir); err != nil {
			return train.Hashes{}, err
		}
		release()
		if t, release, err = build(v); err != nil {
			release = func() {}
			return train.Hashes{}, err
		}
		if err := resume(t, dir); err != nil {
			return train.Hashes{}, err
		}
	}
	return t.Hashes(), nil
}

func save(t *train.Trainer, dir string) error {
	store, err := checkpoint.New(dir, checkpoint.Options{KeepLast: 1})
	if err != nil {
		return err
	}
	_, err = store.Save(t.State(train.Progress{Best: math.Inf(1)}))
	return err
}

func resume(t *train.Trainer, dir string) error {
	store, err := checkpoint.New(dir, checkpoint.Options{})
	if err != nil {
		return err
	}
	c, err := store.Open("last")
	if err != nil {
		return err
	}
	_, err = t.Restore(c)
	return err
}
