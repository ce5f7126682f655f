package shards

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	x, err := Parse([]byte(`{"metadata":{"total_size":8},"weight_map":{"b":"m-2","a":"m-1","c":"m-2"}}`))
	if err != nil {
		t.Fatal(err)
	}
	x.Path = "folder/index.json"
	if fmt.Sprint(x.Files) != "[m-1 m-2]" || x.FilePath("m-1") != "folder/m-1" {
		t.Errorf("files %v", x.Files)
	}
	check := func(want string, tensors map[string][]string) {
		t.Helper()
		err := x.Check(tensors)
		if want == "" && err == nil {
			return
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ...%s", err, want)
		}
	}
	check("", map[string][]string{"m-1": {"a"}, "m-2": {"c", "b"}})
	check(`tensor "c" is not in m-2`, map[string][]string{"m-1": {"a"}, "m-2": {"b"}})
	check(`m-1 has tensor "d", which the index places in nowhere`, map[string][]string{"m-1": {"a", "d"}, "m-2": {"b", "c"}})
	check(`m-1 has tensor "b", which the index places in m-2`, map[string][]string{"m-1": {"a", "b"}, "m-2": {"b", "c"}})
}

func TestParseRejects(t *testing.T) {
	for text, want := range map[string]string{
		``: "", `[]`: "", `{}`: "want an object weight_map", `{"weight_map":{}}`: "want an object weight_map", `{"weight_map":{"a":1}}`: "",
		`{"weight_map":{"a":"../x"}}`: "beside the index", `{"weight_map":{"a":"/x"}}`: "beside the index", `{"weight_map":{"a":""}}`: "beside the index",
		`{"weight_map":{"a":".."}}`: "beside the index", `{"weight_map":{"a":"d/x"}}`: "beside the index", `{"weight_map":{"a":"x","a":"x"}}`: "comes twice",
	} {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrIndex) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want ...%s", text, err, want)
		}
	}
}

// FuzzParse: no index crashes, and none leads out of its folder.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":8},"weight_map":{"b":"m-2","a":"m-1","c":"m-2"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../x"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrIndex) {
				t.Fatalf("%v is no ErrIndex", err)
			}
			return
		}
		x.Path = "folder/index.json"
		for _, file := range x.Files {
			if filepath.Dir(x.FilePath(file)) != "folder" {
				t.Fatalf("%q is not in the folder", file)
			}
		}
	})
}
