// Package tokenize is the command codexml tokenize: it encodes a text with the
// default tokenizer.
package tokenize

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/tokenizer"
)

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *tokenizer.EncodeOptions) error) *cobra.Command {
	return tokenizer.NewTokenize(env, runF)
}
