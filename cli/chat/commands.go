package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/tokenizer"
)

// errExit ends the conversation.
var errExit = errors.New("the conversation ends")

// commands are what lines that begin with / can say.
var commands = []struct {
	name, help string
	run        func(s *conversation, ctx context.Context, argument string) error
}{
	{"/exit", "end the conversation", func(*conversation, context.Context, string) error { return errExit }},
	{"/reset", "forget the conversation, keep the system message", func(s *conversation, _ context.Context, _ string) error {
		s.reset()
		return nil
	}},
	{"/system", "TEXT: begin anew with another system message; nothing for none", func(s *conversation, _ context.Context, text string) error {
		s.System = text
		s.reset()
		return nil
	}},
	{"/undo", "take the last message and its answer back", func(s *conversation, _ context.Context, _ string) error {
		s.undo()
		return nil
	}},
	{"/retry", "answer the last message again, with the next seed", (*conversation).retry},
	{"/history", "show the conversation", func(s *conversation, _ context.Context, _ string) error {
		for _, m := range s.messages {
			fmt.Fprintf(s.Env.Out, "%s: %s\n", m["role"], m["content"])
		}
		return nil
	}},
	{"/prompt", "show the text that the model gets", func(s *conversation, _ context.Context, _ string) error {
		text, err := s.template.Render(s.messages, s.ask)
		fmt.Fprintln(s.Env.Out, text)
		return err
	}},
	{"/save", "FILE: write the conversation as a line of JSON, as training reads it", (*conversation).save},
}

// command does what a line that begins with / says. A mistake in it is told and ends
// nothing.
func (s *conversation) command(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(line, " ")
	if name == "/help" {
		for _, c := range commands {
			fmt.Fprintf(s.Env.Out, "  %-9s %s\n", c.name, c.help)
		}
		return nil
	}
	for _, c := range commands {
		if c.name != name {
			continue
		}
		err := c.run(s, ctx, strings.TrimSpace(argument))
		if err != nil && !errors.Is(err, errExit) {
			fmt.Fprintf(s.Env.Err, "%s: %v\n", name, err)
			return nil
		}
		return err
	}
	fmt.Fprintf(s.Env.Err, "there is no command %s: /help lists them\n", name)
	return nil
}

// undo takes the last message and what came after it back.
func (s *conversation) undo() {
	for i, m := range slices.Backward(s.messages) {
		if m["role"] == "user" {
			s.messages = s.messages[:i]
			return
		}
	}
}

func (s *conversation) retry(ctx context.Context, _ string) error {
	n := len(s.messages)
	if n == 0 || s.messages[n-1]["role"] != "assistant" {
		return errors.New("there is no answer yet")
	}
	s.messages = s.messages[:n-1]
	s.Sampling.Seed++
	return s.answer(ctx)
}

func (s *conversation) save(_ context.Context, name string) error {
	if name == "" {
		return cmdenv.Usagef("name a file")
	}
	return fsatomic.WriteFile(s.Env.Path(name), 0o644, func(w io.Writer) error {
		out := *s.Env
		out.Out = w
		return out.PrintJSON(map[string]any{"messages": s.messages})
	})
}

// special is a token that has no text of its own: templates write its name.
type special struct {
	piece string
	id    int32
}

// specialTokens lists a tokenizer's, longest first.
func specialTokens(tok tokenizer.Tokenizer) []special {
	var all []special
	for id, n := range tok.ByteLengths() {
		if piece := tok.Piece(int32(id)); n == 0 && piece != "" {
			all = append(all, special{piece, int32(id)})
		}
	}
	slices.SortStableFunc(all, func(a, b special) int { return len(b.piece) - len(a.piece) })
	return all
}

// encode makes ids of a rendered conversation: special tokens of their names, as
// transformers does.
func (s *conversation) encode(text string) []int32 {
	var ids []int32
	for text != "" {
		at, found := len(text), special{}
		for _, x := range s.specials {
			if i := strings.Index(text, x.piece); i >= 0 && i < at {
				at, found = i, x
			}
		}
		ids = s.l.Tokenizer.Encode(ids, []byte(text[:at]))
		if found.piece == "" {
			break
		}
		ids = append(ids, found.id)
		text = text[at+len(found.piece):]
	}
	return ids
}
