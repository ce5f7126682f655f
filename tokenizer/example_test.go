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
