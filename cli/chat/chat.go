// Package chat is the command codexml chat: a conversation with a model.
package chat

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/generate"
	"github.com/aries-serpent/codexml/generate/chat"
	"github.com/aries-serpent/codexml/tokenizer"
)

// Options are the command's inputs.
type Options struct {
	Env             *cmdenv.Env
	Model           string
	System          string
	Template, Tools string
	Set             []string
	MaxNewTokens    int
	Sampling        runs.SamplingFlags
}

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := &cobra.Command{
		Use: "chat", Short: "Talk with a model",
		Long: "Talks with a pretrained model in the form that its own chat template gives a conversation. A line is a\n" +
			"message; the answer comes as it is made. Lines that begin with / are commands: /help lists them. With\n" +
			"--json every answer is one line: {role, content, ids, reason}.",
		Example: "  codexml chat --model SmolLM2-135M-Instruct\n" +
			"  codexml chat --model Qwen3-0.6B --system 'Answer in one sentence.' --temperature 0.7 --top-p 0.9\n" +
			"  echo 'What is the capital of France?' | codexml chat --model model.gguf --greedy --json",
		Args: cmdenv.Args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return run(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opts.Model, "model", "", "pretrained model: a folder, a .gguf file, or the name of a model on this machine")
	f.StringVar(&opts.System, "system", "", "system message that begins the conversation")
	f.StringVar(&opts.Template, "template", "", "file with a chat template, instead of the model's own")
	f.StringVar(&opts.Tools, "tools", "", "JSON file with a list of tools that the template tells the model of")
	f.StringArrayVar(&opts.Set, "set", nil, "NAME=JSON, a variable for the template, such as enable_thinking=false; may be repeated")
	f.IntVar(&opts.MaxNewTokens, "max-new-tokens", 1024, "tokens of an answer at the most")
	opts.Sampling.Add(f)
	return cmd
}

func run(ctx context.Context, opts *Options) error {
	if opts.Model == "" {
		return cmdenv.Usagef("chat: --model is missing: name a folder, a .gguf file, or a model on this machine")
	}
	if opts.MaxNewTokens < 1 {
		return cmdenv.Usagef("chat: --max-new-tokens: want 1 or above, got %d", opts.MaxNewTokens)
	}
	l, err := runs.LoadPretrained(opts.Env, opts.Model)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := opts.Sampling.Resolve("chat", l.Generation); err != nil {
		return err
	}
	s, err := opts.open(l)
	if err != nil {
		return err
	}
	return s.loop(ctx)
}

// open makes the conversation.
func (o *Options) open(l *runs.Loaded) (*conversation, error) {
	if l.Tokenizer == nil {
		return nil, cmdenv.BadInput(fmt.Errorf("chat: %w", l.NoTokenizer))
	}
	s := &conversation{Options: o, l: l, specials: specialTokens(l.Tokenizer)}
	var err error
	if s.template, err = o.template(l); err != nil {
		return nil, cmdenv.BadInput(err)
	}
	if s.ask, err = o.variables(); err != nil {
		return nil, err
	}
	s.reset()
	return s, nil
}

func (o *Options) template(l *runs.Loaded) (*chat.Template, error) {
	special := map[string]string{}
	g := l.Generation
	if g.BOS >= 0 {
		special["bos_token"] = l.Tokenizer.Piece(g.BOS)
	}
	if len(g.EOS) > 0 {
		special["eos_token"] = l.Tokenizer.Piece(g.EOS[0])
	}
	if o.Template != "" {
		source, err := os.ReadFile(o.Env.Path(o.Template))
		if err != nil {
			return nil, fmt.Errorf("read chat template: %w", err)
		}
		return chat.New(string(source), special)
	}
	if f := l.Pretrained.GGUF; f != nil {
		source, err := f.Text("tokenizer.chat_template")
		if err != nil {
			return nil, fmt.Errorf("%w: %w: give one with --template", chat.ErrNone, err)
		}
		return chat.New(source, special)
	}
	t, err := chat.Load(l.Path)
	if errors.Is(err, chat.ErrNone) {
		err = fmt.Errorf("%w: a base model? give a template with --template, or use codexml generate", err)
	}
	return t, err
}

// variables reads what the flags give the template.
func (o *Options) variables() (chat.Options, error) {
	ask := chat.Options{AddGenerationPrompt: true, Keys: &chat.Keys{}, Variables: map[string]any{}}
	for _, x := range o.Set {
		name, text, ok := strings.Cut(x, "=")
		value, err := ask.Keys.Parse([]byte(text))
		if !ok || err != nil {
			return ask, cmdenv.Usagef("chat: --set: want NAME=JSON, such as enable_thinking=false, got %q", x)
		}
		ask.Variables[name] = value
	}
	if o.Tools == "" {
		return ask, nil
	}
	data, err := os.ReadFile(o.Env.Path(o.Tools))
	if err != nil {
		return ask, cmdenv.BadInput(fmt.Errorf("chat: --tools: %w", err))
	}
	value, err := ask.Keys.Parse(data)
	tools, ok := value.([]any)
	if err != nil || !ok {
		return ask, cmdenv.BadInput(fmt.Errorf("chat: --tools: %s: want a JSON list of tools (%w)", o.Tools, err))
	}
	ask.Tools = tools
	return ask, nil
}

// conversation is the state of the command.
type conversation struct {
	*Options
	l        *runs.Loaded
	template *chat.Template
	ask      chat.Options
	specials []special
	messages []chat.Message
}

func (s *conversation) reset() {
	s.messages = nil
	if s.System != "" {
		s.messages = append(s.messages, chat.Message{"role": "system", "content": s.System})
	}
}

// loop reads messages and answers them until the input ends.
func (s *conversation) loop(ctx context.Context) error {
	in := bufio.NewReader(s.Env.In)
	people := s.Env.InTerminal && !s.Env.JSON
	if people {
		s.Env.Note("%s: /help lists commands, /exit or Ctrl-D ends", s.l.Path)
	}
	for {
		if people {
			fmt.Fprint(s.Env.Out, "> ")
		}
		line, err := in.ReadString('\n')
		text := strings.TrimRight(line, "\r\n")
		switch done := s.line(ctx, text); {
		case errors.Is(done, errExit):
			return nil
		case done != nil:
			return done
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read standard input: %w", err)
		}
	}
}

func (s *conversation) line(ctx context.Context, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return nil
	case strings.HasPrefix(text, "/"):
		return s.command(ctx, text)
	}
	s.messages = append(s.messages, chat.Message{"role": "user", "content": text})
	return s.answer(ctx)
}

// answer lets the model speak.
func (s *conversation) answer(ctx context.Context) error {
	prompt, err := s.prompt()
	if err != nil {
		return err
	}
	stopper, decoder := s.Sampling.Stopper(), tokenizer.NewDecoder(s.l.Tokenizer)
	var text strings.Builder
	show := func(piece []byte) error {
		text.Write(piece)
		if s.Env.JSON {
			return nil
		}
		_, err := s.Env.Out.Write(piece)
		return err
	}
	stopped := false
	r := generate.Request{Prompt: prompt, Options: generate.Options{Sampling: s.Sampling.Sampling, MaxNewTokens: s.MaxNewTokens, LogProbs: -1}}
	if !s.Sampling.Ignore {
		r.Stop = s.l.Stops()
	}
	r.Emit = func(t generate.Token) error {
		piece, stop := stopper.Add(decoder.Append(nil, t.ID))
		stopped = stop
		if err := show(piece); err != nil || !stop {
			return err
		}
		return generate.ErrStop
	}
	results, err := generate.Batch(ctx, s.l.Model, s.l.Context, []generate.Request{r})
	if err != nil {
		return cmdenv.BadInput(err)
	}
	if !stopped {
		piece, _ := stopper.Add(decoder.Flush(nil))
		if err := show(append(piece, stopper.Flush()...)); err != nil {
			return err
		}
	}
	s.messages = append(s.messages, chat.Message{"role": "assistant", "content": text.String()})
	if s.Env.JSON {
		return s.Env.PrintJSON(map[string]any{"role": "assistant", "content": text.String(), "ids": append([]int32{}, results[0].IDs...), "reason": results[0].Reason})
	}
	fmt.Fprintln(s.Env.Out)
	if results[0].Reason == generate.MaxTokens || results[0].Reason == generate.ContextFull {
		s.Env.Note("(the answer was cut: %s)", results[0].Reason)
	}
	return nil
}

// prompt is the conversation as ids. One that is too long says so, with what can be
// done, and loses its last message.
func (s *conversation) prompt() ([]int32, error) {
	text, err := s.template.Render(s.messages, s.ask)
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	ids := s.encode(text)
	if most := s.l.Model.Config().MaxSeqLen; len(ids) >= most {
		return nil, cmdenv.BadInput(fmt.Errorf("chat: the conversation has %d tokens, the model's context %d: begin anew (/reset), or shorten the message", len(ids), most))
	}
	return ids, nil
}
