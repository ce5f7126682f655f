// Package version is the command codexml version: which build this is.
package version

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// Options are the command's inputs.
type Options struct {
	Env   *cmdenv.Env
	Build *debug.BuildInfo // what the linker recorded
}

// Info is the command's result.
type Info struct {
	Version  string `json:"version"` // of the module: v1.2.3, or devel
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"` // of the commit
	Modified bool   `json:"modified"`       // the working tree differed from the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Build    string `json:"build,omitempty"` // settings that change the program: tags, GOAMD64, CGO_ENABLED
}

// New makes the command; runF replaces its body in tests.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = run
	}
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit, Go release and platform",
		Example: "  codexml version\n  codexml version --json",
		Args:    cmdenv.Args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Build, _ = debug.ReadBuildInfo()
			return runF(cmd.Context(), opts)
		},
	}
}

func run(_ context.Context, opts *Options) error {
	info := describe(opts.Build)
	return opts.Env.Report(info, func(w io.Writer) {
		commit := info.Commit
		if info.Modified {
			commit += " (modified)"
		}
		if commit == "" {
			commit = "unknown"
		}
		t := cmdenv.NewTable()
		t.Row("codexml", info.Version)
		t.Row("commit", strings.TrimSpace(commit+" "+info.Time))
		t.Row("go", info.Go)
		t.Row("platform", info.Platform)
		t.Row("build", info.Build)
		t.WriteTo(w)
	})
}

// describe reads the build's record; nil is a build without one.
func describe(build *debug.BuildInfo) Info {
	info := Info{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build == nil {
		return info
	}
	if v := build.Main.Version; v != "" && v != "(devel)" {
		info.Version = v
	}
	var settings []string
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Commit = s.Value
		case "vcs.time":
			info.Time = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		case "-tags", "-race", "CGO_ENABLED", "GOAMD64", "GOARM64":
			settings = append(settings, fmt.Sprintf("%s=%s", s.Key, s.Value))
		}
	}
	info.Build = strings.Join(settings, " ")
	return info
}
