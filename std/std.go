// Package std is the product list: importing it registers every built-in
// component. A program of one's own imports it, or what of it it needs, and adds
// its own.
package std

import (
	_ "github.com/aries-serpent/codexml/model/decoder" // model.name decoder
	_ "github.com/aries-serpent/codexml/model/gemma2"  // model.name gemma2
	_ "github.com/aries-serpent/codexml/model/gemma3"  // model.name gemma3
	_ "github.com/aries-serpent/codexml/model/gpt2"    // model.name gpt2
	_ "github.com/aries-serpent/codexml/model/llama"   // model.name llama
	_ "github.com/aries-serpent/codexml/model/mistral" // model.name mistral
	_ "github.com/aries-serpent/codexml/model/qwen2"   // model.name qwen2
	_ "github.com/aries-serpent/codexml/model/qwen3"   // model.name qwen3
)
