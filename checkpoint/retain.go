package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/aries-serpent/codexml/internal/jsonscan"
)

// settle brings the store's files up to date after the checkpoint name was saved:
// first last, then best.json, and only then the others go, so that a crash at any
// point leaves names that lead somewhere.
func (s *Store) settle(name string) error {
	if err := s.writer.WriteFile(filepath.Join(s.root, lastFile), filePerm, func(w io.Writer) error {
		_, err := io.WriteString(w, name+"\n")
		return err
	}); err != nil {
		return err
	}
	infos, err := s.list()
	if err != nil {
		return err
	}
	ranked := s.rank(infos)
	keep := map[string]bool{s.loaded: true}
	for _, info := range ranked[:min(s.options.BestK, len(ranked))] {
		keep[info.Name] = true
	}
	drop := s.surplus(infos, keep)
	ranked = slices.DeleteFunc(ranked, func(i Info) bool { return slices.Contains(drop, i.Name) })
	if err := s.writeBest(ranked[:min(max(s.options.BestK, 1), len(ranked))]); err != nil {
		return err
	}
	return s.remove(drop)
}

// surplus lists what retention deletes: all but the newest KeepLast, the one in use
// and the best. What cannot be read does not count and stays: it may be wanted for a
// look.
func (s *Store) surplus(infos []Info, keep map[string]bool) (drop []string) {
	if s.options.KeepLast == 0 {
		return nil
	}
	readable := 0
	for _, info := range infos {
		if info.Problem != "" {
			continue
		}
		if readable++; readable > s.options.KeepLast && !keep[info.Name] {
			drop = append(drop, info.Name)
		}
	}
	return drop
}

// rank lists the checkpoints that have the metric, the best first; of equal ones
// the earlier.
func (s *Store) rank(infos []Info) []Info {
	ranked := slices.DeleteFunc(slices.Clone(infos), func(i Info) bool { return i.metricValue == nil })
	slices.SortFunc(ranked, func(a, b Info) int {
		order := cmp.Compare(*a.metricValue, *b.metricValue)
		if s.options.BestMode == Max {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(a.Step, b.Step))
	})
	return ranked
}

// writeBest writes best.json, if checkpoints are ranked at all.
func (s *Store) writeBest(best []Info) error {
	if s.options.BestMetric == "" {
		return nil
	}
	out := jsonscan.AppendQuoted([]byte(`{"metric_key": `), s.options.BestMetric)
	out = append(out, `, "mode": "`+string(s.options.BestMode)+`", "items": [`...)
	for i, info := range best {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(append(out, "\n{\"step\": "...), int64(info.Step), 10)
		var err error
		if out, err = appendMetrics(append(out, `, "metrics": `...), info.Metrics); err != nil {
			return fmt.Errorf("write %s: %w", bestFile, err)
		}
		out = append(jsonscan.AppendQuoted(append(out, `, "path": `...), info.Name), '}')
	}
	out = append(out, "\n]}\n"...)
	return s.writer.WriteFile(filepath.Join(s.root, bestFile), filePerm, func(w io.Writer) error { _, err := w.Write(out); return err })
}

// bestNames lists the checkpoints that best.json names and that are there, the best
// first. A best.json that cannot be read ranks none; the next Save renews it.
func (s *Store) bestNames() []string {
	const most = 1 << 20
	f, err := os.Open(filepath.Join(s.root, bestFile))
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil
	}
	names, err := parseBest(text)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Stat(filepath.Join(s.root, name))
		return errors.Is(err, os.ErrNotExist)
	})
}

// parseBest reads the names in best.json.
func parseBest(text []byte) (names []string, err error) {
	s := jsonscan.New(text)
	item := func() error {
		return s.Object(func(key jsonscan.Text) error {
			if string(key.Bytes()) != "path" {
				_, err := s.Value()
				return err
			}
			name, err := s.String()
			if _, ok := stepOf(name); err == nil && !ok {
				err = fmt.Errorf("path %.40q is no checkpoint's name", name)
			}
			names = append(names, name)
			return err
		})
	}
	err = s.Object(func(key jsonscan.Text) error {
		if string(key.Bytes()) == "items" {
			return s.Array(item)
		}
		_, err := s.Value()
		return err
	})
	return names, errors.Join(err, s.End())
}

// remove deletes checkpoints, each at once.
func (s *Store) remove(names []string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, s.writer.RemoveDir(filepath.Join(s.root, name)))
	}
	return errors.Join(errs...)
}

// PruneResult says what Prune did or would do.
type PruneResult struct {
	Total int      `json:"total"` // checkpoints before
	Kept  []string `json:"kept"`
	// Pruned are those deleted, or that would be with DryRun.
	Pruned          []string `json:"pruned"`
	ProtectedLatest string   `json:"protected_latest"`
	DryRun          bool     `json:"dry_run"`
}

// Prune deletes all checkpoints but the newest keepLast, those whose step is a
// multiple of keepEvery (0: none), the last, those in best.json, the one opened
// last, and those that cannot be read. With dryRun it only says what it would do.
func (s *Store) Prune(keepLast, keepEvery int, dryRun bool) (PruneResult, error) {
	if keepLast < 1 || keepEvery < 0 {
		return PruneResult{}, fmt.Errorf("prune checkpoints: want keep_last of 1 or more and keep_every of 0 or more, got %d and %d", keepLast, keepEvery)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	infos, err := s.list()
	if err != nil {
		return PruneResult{}, err
	}
	keep := map[string]bool{s.loaded: true, s.last(): true}
	for _, name := range s.bestNames() {
		keep[name] = true
	}
	result := PruneResult{Total: len(infos), Kept: []string{}, Pruned: []string{}, DryRun: dryRun}
	if len(infos) > 0 {
		result.ProtectedLatest = infos[0].Name
		keep[infos[0].Name] = true
	}
	readable := 0
	for _, info := range infos {
		if info.Problem == "" {
			readable++
		}
		if info.Problem != "" || readable <= keepLast || keepEvery > 0 && info.Step%keepEvery == 0 || keep[info.Name] {
			result.Kept = append(result.Kept, info.Name)
		} else {
			result.Pruned = append(result.Pruned, info.Name)
		}
	}
	if dryRun {
		return result, nil
	}
	return result, s.remove(result.Pruned)
}
