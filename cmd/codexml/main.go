// Command codexml trains, proves and serves language models, offline. To build
// one with components of your own, copy this file and add blank imports.
package main

import (
	"os"

	"github.com/aries-serpent/codexml/cli"
	_ "github.com/aries-serpent/codexml/std"
)

func main() { os.Exit(cli.Main()) }
