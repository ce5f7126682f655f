package tokenizer

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// NewTokenize is the command codexml tokenize: encode with the default tokenizer.
// runF, if not nil, runs instead of it.
func NewTokenize(env *cmdenv.Env, runF func(context.Context, *EncodeOptions) error) *cobra.Command {
	o := &EncodeOptions{Env: env}
	cmd := &cobra.Command{
		Use: "tokenize TEXT...", Short: "Turn text into ids with the default tokenizer",
		Long: "Turn text into ids with the tokenizer in " + DefaultPath + ", or the one that\n--tokenizer-path names. codexml tokenizer encode can do more.",
		Example: "  codexml tokenize 'Hello, world'\n  codexml tokenize 'Hello' --tokenizer-path runs/quickstart/tokenizer.json\n" +
			"  codexml tokenize --from-file notes.txt --json",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Text = args
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return encode(cmd.Context(), o)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.ShowTokens, "show-tokens", false, "print the pieces as the vocabulary writes them")
	return cmd
}
