package data

import (
	"math"
	"strings"
	"testing"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateReportsEveryProblem(t *testing.T) {
	bad := Config{
		Format: "csv", Extensions: []string{"go", "."}, Exclude: []string{"a/b", ""}, MinFileBytes: -1, MaxFileBytes: -2, DocumentBytes: -1,
		InvalidUTF8: "ignore", NewlineNormalization: "mac", MaxItems: -1, Shard: Shard{Index: 2, Total: 2}, SplitRatios: Ratios{-1, 2, math.NaN()},
		MaxValidationBytes: -1, MaxTestBytes: -1, NearDuplicate: 0.5, ShuffleSeed: -1, Packing: "greedy",
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("want an error")
	}
	want := []string{
		"data.source_path: want a folder or a file", `data.format: want one of auto, jsonl, text, tokens, got "csv"`, "data.extensions[0]:", "data.extensions[1]:",
		"data.exclude[0]:", "data.exclude[1]:", "data.min_file_bytes:", "data.max_file_bytes:", "data.document_bytes:", "data.invalid_utf8:",
		"data.newline_normalization:", "data.max_items:", "data.shard.index: want 0..1, got 2", "data.split_ratios.train:", "data.split_ratios.validation:",
		"data.split_ratios.test:", "data.max_validation_bytes:", "data.max_test_bytes:", "data.near_duplicate: want 0.7..1, got 0.5", "data.shuffle_seed:", "data.packing:",
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("no %q in\n%v", w, err)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != len(want) {
		t.Errorf("%d problems, want %d:\n%v", got, len(want), err)
	}
}

func TestValidateRejectsRatios(t *testing.T) {
	f := func(r Ratios, want string) {
		t.Helper()
		c := DefaultConfig()
		c.SplitRatios = r
		err := c.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: got %v, want %q", r, err, want)
		}
	}
	f(Ratios{0.9, 0.1, 0}, "")
	f(Ratios{0.9, 0.0505, 0.05}, "")
	f(Ratios{1, 0, 0}, "")
	f(Ratios{0.9, 0.2, 0}, "want a sum of 1")
	f(Ratios{0, 0.5, 0.5}, "nothing to train on")
}
