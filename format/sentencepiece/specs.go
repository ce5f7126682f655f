package sentencepiece

// TrainerSpec is how a model was trained. Comments are the manual of the trainer
// here too; names are the original's.
type TrainerSpec struct {
	Input       []string // files
	ModelPrefix string   // where the model and its vocabulary went
	ModelType   ModelType
	// VocabSize is the number of ids, with those of control symbols and bytes.
	VocabSize int32
	// AcceptLanguage is no longer used by the original.
	AcceptLanguage []string
	// SelfTestSampleSize is no longer used by the original.
	SelfTestSampleSize int32
	// InputFormat is "text", one sentence a line, or "tsv", a sentence, a tab and how
	// often it occurs.
	InputFormat string
	// CharacterCoverage is the share of the corpus' characters that get a piece,
	// frequent ones first.
	CharacterCoverage float32
	// InputSentenceSize is how many sentences are drawn from the corpus, 0 all.
	InputSentenceSize uint64
	// MiningSentenceSize and TrainingSentenceSize are no longer used by the original.
	MiningSentenceSize   int32
	TrainingSentenceSize int32
	// SeedSentencepieceSize is how many pieces training starts with.
	SeedSentencepieceSize int32
	// ShrinkingFactor is the share of pieces that survive a pruning.
	ShrinkingFactor float32
	NumThreads      int32
	// NumSubIterations is how many steps of EM lie between two prunings.
	NumSubIterations int32
	// MaxSentenceLength leaves out longer sentences, in bytes.
	MaxSentenceLength int32
	// ShuffleInputSentence draws sentences anywhere in the corpus, not the first.
	ShuffleInputSentence bool
	// MaxSentencepieceLength bounds a piece, in characters.
	MaxSentencepieceLength int32
	// SplitByUnicodeScript keeps scripts apart: no piece has two.
	SplitByUnicodeScript bool
	// SplitByWhitespace lets a space be only at a piece's start (or end).
	SplitByWhitespace bool
	// SplitByNumber keeps digits and letters apart.
	SplitByNumber bool
	// TreatWhitespaceAsSuffix puts spaces at the end of pieces.
	TreatWhitespaceAsSuffix bool
	// SplitDigits makes each digit a piece.
	SplitDigits bool
	// AllowWhitespaceOnlyPieces lets runs of spaces be pieces.
	AllowWhitespaceOnlyPieces bool
	// ControlSymbols have ids and no text.
	ControlSymbols []string
	// UserDefinedSymbols are always one piece.
	UserDefinedSymbols []string
	// VocabularyOutputPieceScore writes scores into the .vocab file.
	VocabularyOutputPieceScore bool
	// HardVocabLimit makes it an error if there are fewer pieces than VocabSize.
	HardVocabLimit bool
	// UseAllVocab keeps all characters or words (char and word models).
	UseAllVocab bool
	// ByteFallback spells characters that have no piece as bytes.
	ByteFallback bool
	// RequiredChars are characters that get a piece however rare they are.
	RequiredChars string
	UnkID         int32
	BosID         int32
	EosID         int32
	PadID         int32 // -1: none
	// UnkSurface is what decoding writes for the unknown piece.
	UnkSurface string
	UnkPiece   string
	BosPiece   string
	EosPiece   string
	PadPiece   string
	// The next four are no longer used by the original.
	TrainExtremelyLargeCorpus            bool
	EnableDifferentialPrivacy            bool
	DifferentialPrivacyNoiseLevel        float32
	DifferentialPrivacyClippingThreshold uint64
	// PretokenizationDelimiter is a mark in the corpus that no piece crosses.
	PretokenizationDelimiter string
	SeedSentencepiecesFile   string
	AutoCharacterCoverage    bool

	set   uint64
	extra []byte
}

// DefaultTrainerSpec has the defaults of the original.
func DefaultTrainerSpec() TrainerSpec {
	return TrainerSpec{
		ModelType: Unigram, VocabSize: 8000, CharacterCoverage: 0.9995, SeedSentencepieceSize: 1_000_000, ShrinkingFactor: 0.75, NumThreads: 16,
		NumSubIterations: 2, MaxSentenceLength: 4192, ShuffleInputSentence: true, MaxSentencepieceLength: 16, SplitByUnicodeScript: true,
		SplitByWhitespace: true, SplitByNumber: true, VocabularyOutputPieceScore: true, HardVocabLimit: true, UnkID: 0, BosID: 1, EosID: 2, PadID: -1,
		UnkSurface: " \u2047 ", UnkPiece: "<unk>", BosPiece: "<s>", EosPiece: "</s>", PadPiece: "<pad>",
	}
}

// NormalizerSpec is how text is changed before it is cut.
type NormalizerSpec struct {
	Name string // of the rule, such as nmt_nfkc
	// PrecompiledCharsmap is the rule: a trie of strings and what replaces them.
	PrecompiledCharsmap []byte
	// AddDummyPrefix puts a space before the text.
	AddDummyPrefix bool
	// RemoveExtraWhitespaces drops spaces at both ends and makes one of many.
	RemoveExtraWhitespaces bool
	// EscapeWhitespaces writes spaces as U+2581.
	EscapeWhitespaces bool
	// NormalizationRuleTSV is the file that the rule was made from.
	NormalizationRuleTSV string

	set   uint64
	extra []byte
}

// DefaultNormalizerSpec has the defaults of the original.
func DefaultNormalizerSpec() NormalizerSpec {
	return NormalizerSpec{AddDummyPrefix: true, RemoveExtraWhitespaces: true, EscapeWhitespaces: true}
}

// field is a number in the file and where its value is.
type field struct {
	num int
	at  any // *string, *[]string, *[]byte, *bool, *int32, *uint64, *float32 or *ModelType
}

// fields are in the order of their numbers, in which they are written.
func (s *TrainerSpec) fields() []field {
	return []field{
		{1, &s.Input}, {2, &s.ModelPrefix}, {3, &s.ModelType}, {4, &s.VocabSize}, {5, &s.AcceptLanguage}, {6, &s.SelfTestSampleSize}, {7, &s.InputFormat},
		{10, &s.CharacterCoverage}, {11, &s.InputSentenceSize}, {12, &s.MiningSentenceSize}, {13, &s.TrainingSentenceSize},
		{14, &s.SeedSentencepieceSize}, {15, &s.ShrinkingFactor}, {16, &s.NumThreads}, {17, &s.NumSubIterations}, {18, &s.MaxSentenceLength},
		{19, &s.ShuffleInputSentence}, {20, &s.MaxSentencepieceLength}, {21, &s.SplitByUnicodeScript}, {22, &s.SplitByWhitespace},
		{23, &s.SplitByNumber}, {24, &s.TreatWhitespaceAsSuffix}, {25, &s.SplitDigits}, {26, &s.AllowWhitespaceOnlyPieces}, {30, &s.ControlSymbols},
		{31, &s.UserDefinedSymbols}, {32, &s.VocabularyOutputPieceScore}, {33, &s.HardVocabLimit}, {34, &s.UseAllVocab}, {35, &s.ByteFallback},
		{36, &s.RequiredChars}, {40, &s.UnkID}, {41, &s.BosID}, {42, &s.EosID}, {43, &s.PadID}, {44, &s.UnkSurface}, {45, &s.UnkPiece},
		{46, &s.BosPiece}, {47, &s.EosPiece}, {48, &s.PadPiece}, {49, &s.TrainExtremelyLargeCorpus}, {50, &s.EnableDifferentialPrivacy},
		{51, &s.DifferentialPrivacyNoiseLevel}, {52, &s.DifferentialPrivacyClippingThreshold}, {53, &s.PretokenizationDelimiter},
		{54, &s.SeedSentencepiecesFile}, {55, &s.AutoCharacterCoverage},
	}
}

func (s *NormalizerSpec) fields() []field {
	return []field{
		{1, &s.Name}, {2, &s.PrecompiledCharsmap}, {3, &s.AddDummyPrefix}, {4, &s.RemoveExtraWhitespaces}, {5, &s.EscapeWhitespaces},
		{6, &s.NormalizationRuleTSV},
	}
}

func (s *Sample) fields() []field { return []field{{1, &s.Input}, {2, &s.Expected}} }
