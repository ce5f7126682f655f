package cmdenv

import (
	"strings"

	"github.com/spf13/cobra"
)

// Group is a command that only holds others.
func Group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short}
	cmd.AddCommand(commands...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var names []string
		for _, c := range commands {
			names = append(names, c.Name())
		}
		want := strings.Join(names, ", ")
		if len(args) == 0 {
			return Usagef("%sa subcommand is missing, want one of: %s", prefix(cmd), want)
		}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return Usagef("%sthere is no command %q, did you mean %s?", prefix(cmd), args[0], near[0])
		}
		return Usagef("%sthere is no command %q, want one of: %s", prefix(cmd), args[0], want)
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 2
	return cmd
}

// Args accepts exactly the named arguments; a last name ending in "..." takes
// any number, one in brackets may be left out.
func Args(names ...string) cobra.PositionalArgs {
	least, most := 0, len(names)
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, "..."):
			most = -1
		case !strings.HasPrefix(name, "["):
			least++
		}
	}
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Usagef("%s%s is missing", prefix(cmd), strings.Join(names[len(args):least], " "))
		case most == 0 && len(args) > 0:
			return Usagef("%stakes no arguments, got %q", prefix(cmd), args)
		case most >= 0 && len(args) > most:
			return Usagef("%stoo many arguments: want %s, got %q too", prefix(cmd), strings.Join(names, " "), args[most:])
		}
		return nil
	}
}

// prefix is the command's path without the program's name, which Main prints.
func prefix(cmd *cobra.Command) string {
	_, path, ok := strings.Cut(cmd.CommandPath(), " ")
	if !ok {
		return ""
	}
	return path + ": "
}
