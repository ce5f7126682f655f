"""Writes ../unicode.txt: which characters Oniguruma, as tokenizers 0.23.3 has it, counts to
which property. tiktoken 0.14 has the same general categories; what its \\w adds to or lacks
of Oniguruma's is in the lines RustWordMore and RustWordLess.

    python unicode.py       needs tokenizers==0.23.3 and tiktoken==0.14.0
"""

import tiktoken
from tokenizers import Regex, __version__, pre_tokenizers

EVERY = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
PROPERTIES = "Alphabetic Uppercase Lowercase White_Space Ideographic Emoji Emoji_Presentation Emoji_Modifier".split()
PROPERTIES += "Emoji_Modifier_Base Emoji_Component Extended_Pictographic Word".split()
SCRIPTS = """Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki
Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common
Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan
Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema Han Hangul
Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian
Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin
Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi
Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar
Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian
Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya
Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian
Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le
Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri Toto Tulu_Tigalari Ugaritic
Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square""".split()


def matched(pattern, chars):
    """The characters of chars that pattern matches."""
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    left = set()
    for _, (start, end) in split.pre_tokenize_str("".join(map(chr, chars))):
        left.update(chars[start:end])
    return [c for c in chars if c not in left]


def matched_by_tiktoken(pattern):
    ranks = {bytes([i]): i for i in range(256)}
    encoding = tiktoken.Encoding("all", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    text = "".join(map(chr, EVERY))
    return list(map(ord, bytes(encoding.encode_ordinary(text)).decode()))


def ranges(chars):
    out = []
    for c in chars:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return " ".join(f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in out)


def main():
    lines = {}
    assigned = []
    for name in CATEGORIES:
        chars = matched(r"\p{%s}" % name, EVERY)
        assert chars == sorted(matched_by_tiktoken(r"\p{%s}" % name)), name
        lines[name] = chars
        assigned += chars if name != "Co" else []
    assigned.sort()
    for name in PROPERTIES:
        lines[name] = matched(r"\p{%s}" % name, EVERY)
    for name in SCRIPTS:  # no script has a character that is not assigned
        lines[name] = matched(r"\p{%s}" % name, assigned)
    word, other = set(lines["Word"]), set(matched_by_tiktoken(r"\w"))
    lines["RustWordMore"], lines["RustWordLess"] = sorted(other - word), sorted(word - other)
    with open("../unicode.txt", "w", encoding="ascii") as f:
        f.write(f"# Written by testdata/unicode.py with tokenizers {__version__} and tiktoken {tiktoken.__version__}.\n")
        for name, chars in lines.items():
            f.write(f"{name} {ranges(chars)}\n")
        for c in EVERY:  # whose case folding is several characters
            if len(chr(c).casefold()) > 1:
                f.write(f"fold {c:X} " + " ".join(f"{ord(x):X}" for x in chr(c).casefold()) + "\n")


if __name__ == "__main__":
    main()
