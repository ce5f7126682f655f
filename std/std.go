// Package std is the product list: importing it registers every built-in
// component. A program of one's own imports it, or what of it it needs, and adds
// its own.
package std

import (
	_ "github.com/aries-serpent/codexml/model/decoder" // model.name decoder
	_ "github.com/aries-serpent/codexml/model/gpt2"    // model.name gpt2
)
