package sentencepiece_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/aries-serpent/codexml/tokenizer/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/spmtrain"
)

// A model is trained on sentences and cuts a text into pieces that it knows the
// places of.
func Example() {
	corpus := func(yield func([]byte) bool) {
		for line := range strings.SplitSeq("she sells sea shells\nby the sea shore\nthe shells she sells are sea shells", "\n") {
			if !yield([]byte(line)) {
				return
			}
		}
	}
	config := spmtrain.DefaultConfig()
	config.Trainer.VocabSize = 20
	config.NormalizationRule = "identity" // the default is nmt_nfkc
	model, err := spmtrain.Train(context.Background(), corpus, config)
	if err != nil {
		log.Fatal(err)
	}
	tokenizer, err := sentencepiece.New(model)
	if err != nil {
		log.Fatal(err)
	}
	text := []byte("the sea")
	ids, spans := tokenizer.EncodeSpans(nil, nil, text)
	for i, id := range ids {
		fmt.Printf("%+q %q\n", tokenizer.Piece(id), text[spans[i].Start:spans[i].End])
	}
	fmt.Println(string(tokenizer.Decode(nil, ids)))
	// Output:
	// "\u2581the" "the"
	// "\u2581sea" " sea"
	// the sea
}
