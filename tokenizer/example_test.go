package tokenizer_test

import (
	"fmt"

	"github.com/aries-serpent/codexml/tokenizer"
)

func Example() {
	t, err := tokenizer.Load("testdata/train/go-700.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := t.Encode(nil, []byte("func main"))
	fmt.Println(ids)
	fmt.Printf("%s\n", t.Decode(nil, ids))
	// Output:
	// [324 375 291]
	// func main
}

// A model makes one id after another; text is shown as soon as it is complete.
func ExampleDecoder() {
	t, err := tokenizer.Load("testdata/train/small-4096.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	d := tokenizer.NewDecoder(t)
	for _, id := range t.Encode(nil, []byte("caf\u00e9")) {
		fmt.Printf("%+q\n", d.Append(nil, id))
	}
	// Output:
	// "c"
	// "a"
	// "f"
	// ""
	// "\u00e9"
}

// What the original library calls an encoding: all that is known of each id.
func ExamplePipeline_EncodeText() {
	t, err := tokenizer.Load("testdata/pipelines/bert.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := t.(*tokenizer.Pipeline).EncodeText([]byte("The own"), tokenizer.EncodeOptions{AddSpecial: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, token := range e.Tokens {
		fmt.Println(token, e.Offsets[i], e.SpecialMask[i])
	}
	// Output:
	// [CLS] {0 0} 1
	// t {0 1} 0
	// ##h {1 2} 0
	// ##e {2 3} 0
	// o {4 5} 0
	// ##w {5 6} 0
	// ##n {6 7} 0
	// [SEP] {0 0} 1
}
