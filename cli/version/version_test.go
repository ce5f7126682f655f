package version

import (
	"bytes"
	"context"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

func TestDescribe(t *testing.T) {
	build := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "-compiler", Value: "gc"}, {Key: "CGO_ENABLED", Value: "0"}, {Key: "GOAMD64", Value: "v3"}, {Key: "vcs.revision", Value: "abc"},
		{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	got := describe(build)
	if got.Version != "v1.2.3" || got.Commit != "abc" || got.Time != "2026-01-02T03:04:05Z" || !got.Modified || got.Build != "CGO_ENABLED=0 GOAMD64=v3" {
		t.Errorf("%+v", got)
	}
	if got := describe(nil); got.Version != "devel" || got.Go == "" || got.Platform == "" {
		t.Errorf("without a record: %+v", got)
	}
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	env := cmdenv.New(strings.NewReader(""), &out, &out, func(string) (string, bool) { return "", false }, t.TempDir())
	opts := &Options{Env: env, Build: &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}}}
	if err := run(context.Background(), opts); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "commit    abc (modified)\n") {
		t.Errorf("%s", out.String())
	}
}
