"""Tokenizers of users, by row of the table of faults. tests/data/faults_tokens.json has the reference's ids, as a hash
over all texts, or null where it refuses (tools/models/make_fault_tokens.py)."""
import json
import random

from models import Model, byte_letters

CASES = []  # (row, name, function that changes a Model, whether muster may refuse what the reference does)

TEXTS = [
    "", " ", "  ", "a", "The quick brown fox jumps over 13 lazy dogs.", "  two  spaces   three ", "\tTab\n\nnew lines \r\n",
    "it's we're I'll THEY'VE", "x=1234567890;y=12", "naïve café déjà vu", "na\u0308ive cafe\u0301", "日本語のテキスト", "Ελληνικά",
    "\u180e \u180ea\u180e", "\u00a0nbsp\u2003em\u3000ideographic\u0085nel", "emoji 😀👨‍👩‍👧 end", "b<|endoftext|>", "a<|endoftext|>b <|endoftext|> c",
    "<|x|> a <|x|>\u00a0<|x|>\n", "aeiou bcdfg xyz", "foo.bar(baz)[0]{1}+*?^$|\\", "end of line \n", "trailing   ", "\u1c89\u1c8a new letters",
    "ÅÅÅ", "ﬁ ligature", "12 345 6789 00000", "a-b_c d--e", "ends with space ", "__init__ <tag>", "MiXeD CaSe", "the the the", "123 1 12 1234"]


def fuzz(count=300):
    draw = random.Random(11)
    letters = "ab the 123 \t\n.,'é日😀<|x|>" + "\u00a0\u2003\u180e\u0301"
    return ["".join(draw.choice(letters) for _ in range(draw.randrange(40))) for _ in range(count)]


def texts():
    return TEXTS + fuzz()


def every_code_point():
    """Each alone, and three times among letters, spaces and digits."""
    points = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    return points + [f"a{point} {point}b1{point}" for point in points]


def case(row, family="llama", may_refuse=False):
    def add(change):
        CASES.append((row, f"{change.__name__} ({family})", family, change, may_refuse))
        return change
    return add


def pre_tokenizers(row, *settings, **more):
    """One case for each pre_tokenizer."""
    for name, setting in settings:
        def apply(model, setting=setting):
            model.tokenizer["pre_tokenizer"] = setting
        apply.__name__ = name
        case(row, **more)(apply)


def byte_level(add_prefix_space=False, use_regex=False):
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": True, "use_regex": use_regex}


def split(pattern, behavior="Isolated", invert=False):
    pattern = pattern if isinstance(pattern, dict) else {"Regex": pattern}
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def steps(*list_of):
    return {"type": "Sequence", "pretokenizers": list(list_of)}


# 5: patterns.

PATTERNS = [
    "^ +", r"\s+$", "[a-z&&[^aeiou]]+", r"\p{N}{1,3}+", r"\p{N}{1,3}", r"\p{N}++", r" ?\p{L}+|\s+(?!\S)", r"(?=a)", r"a*", r"b*?",
    r"\b", r"\B", r"\w+", r"\W+", r"\d+", r"\D+", r"[\w&&[^\d]]+", r"[^\w\s]+", r"\h+", r"\H+", r"\R", r"\O", r"\N+", r"\A.", r".\z", r".\Z",
    r"$", r"^", r"(?m:.+)", r"(?i:THE)", r"(?i)the|fox", r"(?x: t h e )", r"(?>a|ab)c?", r"(?<!a)b", r"(?<=the) ", r"(?<n>a)\k<n>", r"(a)\1",
    r"\p{Lu}\p{Ll}*", r"[\p{Lu}\p{Lt}]?[\p{Ll}\p{M}]+", r"\p{^L}+", r"\P{L}+", r"[\P{L}]+", r"[^\P{L}]+", r"\p{Han}+|\p{Hiragana}", r"\p{Greek}+",
    r"\p{P}+", r"\p{S}+", r"[\p{P}\p{S}]+", r"\p{Z}+", r"\p{Letter}+", r"\p{uppercase letter}+", r"[\x20-\x2f]+", r"\x{65e5}", r"\u00e9", r"[一-龥]+",
    r"\t|\n", r"\/+", r"\-+", r"\_", r"[a-c[x-z]]+", r"[a-w&&[^c-g]z]+", r"[^a&&[ab]]", r"[]a]", r"[a-]+", r"a{,2}", r"a{2,}", r"a{1}?", r"(?:a|b)+?c?",
    r"\p{Alphabetic}+", r"\p{Emoji}+", r"\p{Any}", r"\p{In_Greek_and_Coptic}+", r"(?a)\w+", r"\X", r"\y", r"[[:alpha:]]+", r"[[:space:]]+", r"[:a]+",
    "(", "[z-a]", r"\p{Nothing}", "*a", "a**", r"(?<n>", "[", "(?R)", r"(?#comment)a", r"\Qa.b\E", r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
]
# What the reference reads and muster refuses by name.
REFUSED = {r"\X", r"\y", r"[[:alpha:]]+", r"[[:space:]]+", r"\b", r"\B", r"(?i:THE)", r"(?i)the|fox", r"\p{Han}+|\p{Hiragana}", r"\p{Greek}+",
           r"\p{Alphabetic}+", r"\p{Emoji}+", r"\p{Any}", r"\p{In_Greek_and_Coptic}+",
           PATTERNS[-1], PATTERNS[-2]}
for _pattern in PATTERNS:
    pre_tokenizers(5, (_pattern, steps(split(_pattern), byte_level())), may_refuse=_pattern in REFUSED)
for _behavior in ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
    for _invert in (False, True):
        for _pattern in (r"\s", r"a|the", r"", r"\p{N}+|(?= )"):
            pre_tokenizers(5, (f"{_behavior} {_invert} {_pattern}", steps(split(_pattern, _behavior, _invert), byte_level())))
for _literal in (" ", "the", ".", "a-b", "[0]{1}+*?^$|\\", "\n", "é", "&&", "~#"):
    pre_tokenizers(5, (f"literal {_literal!r}", steps(split({"String": _literal}), byte_level())))
pre_tokenizers(5, ("another behavior", steps(split("a", "Other"), byte_level())))


@case(5)
def twenty_thousand_digits(model):
    model.tokenizer["pre_tokenizer"] = steps(split(r"(\p{N}{1,3})+|\p{L}+"), byte_level())
    model.more_texts = ["1" * 20000, " " * 20000, "x1" * 10000]


# 7: the rest of tokenizer.json.

pre_tokenizers(
    7, ("gpt2's own", byte_level(use_regex=True)), ("a space before", byte_level(True, True)),
    ("a space before each piece", steps(split(r"\s"), byte_level(True, True))),
    ("digits one by one", steps({"type": "Digits", "individual_digits": True}, byte_level(use_regex=True))),
    ("digits together", steps({"type": "Digits", "individual_digits": False}, byte_level(use_regex=True))),
    ("digits behind byte level", steps(byte_level(use_regex=True), {"type": "Digits", "individual_digits": True})),
    ("a split behind byte level", steps(byte_level(), split("Ġ"))), ("letters behind byte level", steps(byte_level(), split(r"\p{L}+"))),
    ("a space before and behind", steps(byte_level(True), split("Ġ", "MergedWithNext"))),
    ("two sequences", steps(steps(split("a")), steps(split("b"), byte_level()))))
pre_tokenizers(7, ("byte level twice", steps(byte_level(), byte_level())), ("none", None), ("white space", {"type": "Whitespace"}),
               ("punctuation", steps({"type": "Punctuation", "behavior": "Isolated"}, byte_level())),
               ("metaspace", {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}),
               ("a sequence of nothing", steps()), may_refuse=True)


def added(content, **flags):
    return {"id": -1, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False, **flags}


def with_added(model, *tokens):
    for token in tokens:
        known = model.tokenizer["model"]["vocab"].get(token["content"])
        more = sum(1 for one in model.tokenizer["added_tokens"] if one["content"] not in model.tokenizer["model"]["vocab"])
        token["id"] = known if known is not None else len(model.tokenizer["model"]["vocab"]) + more
        model.tokenizer["added_tokens"].append(token)


def added_tokens(name, *tokens, normalizer=None, may_refuse=False):
    def apply(model):
        model.tokenizer["normalizer"] = normalizer
        with_added(model, *(dict(token) for token in tokens))
    apply.__name__ = name
    case(7, may_refuse=may_refuse)(apply)


NFC = {"type": "NFC"}
added_tokens("it takes white space before it", added("<|x|>", lstrip=True))
added_tokens("it takes white space behind it", added("<|x|>", rstrip=True))
added_tokens("it takes all white space", added("<|x|>", lstrip=True, rstrip=True, special=True))
added_tokens("one that begins in what another took", added("<|x|>", rstrip=True), added(" a"), added("a"))
added_tokens("the longest of those that begin there", added("the"), added("the the"), added("t"))
added_tokens("spaces", added("  "), added("   "))
added_tokens("normalized", added("café", normalized=True), normalizer=NFC)
added_tokens("normalized, written apart", added("cafe\u0301", normalized=True), normalizer=NFC)
added_tokens("not normalized, written apart", added("cafe\u0301"), normalizer=NFC)
added_tokens("normalized without a normalizer", added("cafe\u0301", normalized=True))
added_tokens("a word of its own", added("a", single_word=True), may_refuse=True)
added_tokens("one that the vocabulary has", added("the"), added("er"))
added_tokens("the same twice", added("fox"), added("fox", lstrip=True), may_refuse=True)
added_tokens("nothing", normalizer=NFC)
added_tokens("nothing in a sequence", normalizer={"type": "Sequence", "normalizers": []})
added_tokens("a sequence of one", normalizer={"type": "Sequence", "normalizers": [NFC]})
for _normalizer in ("NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"):
    added_tokens(_normalizer, normalizer={"type": _normalizer}, may_refuse=True)


@case(7, may_refuse=True)
def an_added_token_with_another_id(model):
    model.tokenizer["added_tokens"].append(dict(added("<|x|>"), id=295))


@case(7)
def a_merge_that_stands_twice(model):
    model.tokenizer["model"]["merges"] += [["t", "h"]]


@case(7)
def merges_as_text(model):
    model.tokenizer["model"]["merges"] = [" ".join(pair) for pair in model.tokenizer["model"]["merges"]]


@case(7)
def a_model_without_a_type(model):
    del model.tokenizer["model"]["type"]


@case(7)
def merges_are_ignored(model):
    model.tokenizer["model"]["ignore_merges"] = True
    model.tokenizer["model"]["vocab"].update({byte_letters()[0x20] + "quick": 290, "lazy": 291})


@case(7)
def a_byte_is_missing(model):
    del model.tokenizer["model"]["vocab"]["x"], model.tokenizer["model"]["merges"][6], model.tokenizer["model"]["merges"][6]


@case(7)
def a_byte_is_missing_and_unknown_has_a_token(model):
    a_byte_is_missing(model)
    model.tokenizer["model"]["unk_token"] = "<|endoftext|>"


@case(7, may_refuse=True)
def unknown_ones_are_fused(model):
    a_byte_is_missing_and_unknown_has_a_token(model)
    model.tokenizer["model"]["fuse_unk"] = True


@case(7)
def a_merge_of_what_is_not_there(model):
    model.tokenizer["model"]["merges"].append(["zz", "z"])


def templates(name, single, may_refuse=False, **special):
    def apply(model):
        tokens = {token: {"id": token, "ids": ids, "tokens": [token]} for token, ids in special.items()}
        model.tokenizer["post_processor"] = {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": tokens}
    apply.__name__ = name
    case(7, may_refuse=may_refuse)(apply)


A = {"Sequence": {"id": "A", "type_id": 0}}


def token(name):
    return {"SpecialToken": {"id": name, "type_id": 0}}


templates("a token before", [token("x"), A], x=[5])
templates("tokens before and behind", [token("x"), token("y"), A, token("x")], x=[5], y=[7, 8])
templates("a token that the template does not have", [token("x"), A], y=[5])


@case(7, may_refuse=True)
def roberta_s_post_processor(model):
    model.tokenizer["post_processor"] = {"type": "RobertaProcessing", "sep": ["a", 5], "cls": ["b", 6], "trim_offsets": True,
                                         "add_prefix_space": False}


@case(7)
def it_cuts_and_pads(model):
    model.tokenizer["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    model.tokenizer["padding"] = {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
                                  "pad_type_id": 0, "pad_token": "<|endoftext|>"}


def of_type(*path_and_value):
    """One case: what is at a path of tokenizer.json is this instead, or is not there ("absent")."""
    *path, last, value = path_and_value

    def apply(model):
        model.tokenizer.update(normalizer={"type": "Sequence", "normalizers": [NFC]}, pre_tokenizer=steps(byte_level(use_regex=True)),
                               post_processor={"type": "Sequence", "processors": [
                                   byte_level(), {"type": "TemplateProcessing", "single": [token("x"), A], "pair": [A, A],
                                                  "special_tokens": {"x": {"id": "x", "ids": [5], "tokens": ["x"]}}}]})
        place = model.tokenizer
        for step in path:
            place = place[step]
        if value == "absent":
            del place[last]
        else:
            place[last] = value
    apply.__name__ = f"{'.'.join(map(str, (*path, last)))} = {json.dumps(value)}"
    case(7)(apply)


for _key, _values in (("version", ("2.0", 1, None, "absent")), ("truncation", ({}, False)), ("padding", ([], "x")),
                      ("added_tokens", ({}, None)), ("decoder", ({"type": "x"}, False, None)), ("model", (None, []))):
    for _value in _values:
        of_type(_key, _value)
for _key, _values in (("ignore_merges", ("true", 1, None)), ("unk_token", (5, False)), ("byte_fallback", (0, "")), ("fuse_unk", (0, None)),
                      ("dropout", ("", False, 0.0)), ("end_of_word_suffix", (False, None)), ("continuing_subword_prefix", (0,))):
    for _value in _values:
        of_type("model", _key, _value)
for _value in (0, None, "absent"):
    of_type("added_tokens", 0, "special", _value)
    of_type("pre_tokenizer", "pretokenizers", 0, "trim_offsets", _value)
    of_type("pre_tokenizer", "pretokenizers", 0, "use_regex", _value)
    of_type("post_processor", "processors", 0, "add_prefix_space", _value)
    of_type("post_processor", "processors", 1, "pair", _value)
    of_type("post_processor", "processors", 1, "single", 0, "SpecialToken", "type_id", _value)
of_type("post_processor", "processors", {})
of_type("post_processor", "processors", 1, "special_tokens", "x", "tokens", "x")
of_type("normalizer", "normalizers", 0, None)
of_type("decoder", "trim_offsets", 1)
of_type("post_processor", "processors", 1, "pair", 0, {"Sequence": {"id": "C", "type_id": 0}})
of_type("lowercase", True)
of_type("model", "lowercase", True)


Model.more_texts = []


# 6: files beside tokenizer.json, which AutoTokenizer reads, too.

def with_config(name, family="llama", may_refuse=False, model=None, config=None, files=None, **settings):
    """One case: changes of tokenizer_config.json (None: not there), of config.json, and more files."""
    def apply(made):
        if model:
            model(made)
        for key, value in settings.items():
            made.tokenizer_config[key] = value
        made.tokenizer_config = {key: value for key, value in made.tokenizer_config.items() if value != "absent"}
        made.config.update(config or {})
        made.files.update({file: content if content is None else json.dumps(content).encode()
                           for file, content in (files or {}).items()})
    apply.__name__ = name
    case(6, family, may_refuse)(apply)


X = {"content": "<|x|>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def with_x(model):
    with_added(model, added("<|x|>", special=True))


def with_space(model):
    model.tokenizer["pre_tokenizer"]["add_prefix_space"] = True


def neox_s_own(model):
    model.tokenizer["normalizer"] = NFC


for _family, _classes in (("llama", ("PreTrainedTokenizerFast", "TokenizersBackend", "LlamaTokenizer", "LlamaTokenizerFast",
                                     "GPT2Tokenizer", "GPT2TokenizerFast", "GPTNeoXTokenizerFast", "Qwen2Tokenizer",
                                     "CodeLlamaTokenizer", "NoSuchTokenizer", "absent", None, 7)),
                          ("gpt_neox", ("PreTrainedTokenizerFast", "TokenizersBackend", "GPTNeoXTokenizer", "GPTNeoXTokenizerFast",
                                        "GPT2Tokenizer", "LlamaTokenizer", "NoSuchTokenizer", "absent", None))):
    for _class in _classes:
        with_config(f"class {_class}", _family, True, tokenizer_class=_class)
        with_config(f"class {_class}, normalised", _family, True, model=neox_s_own, tokenizer_class=_class)
        with_config(f"class {_class}, add_prefix_space", _family, True, tokenizer_class=_class, add_prefix_space=True)
        with_config(f"class {_class}, no add_prefix_space, the file has it", _family, True, model=with_space,
                    tokenizer_class=_class, add_prefix_space=False)
        with_config(f"class {_class}, add_bos_token", _family, True, tokenizer_class=_class, add_bos_token=True)
        with_config(f"class {_class}, an added token", _family, True, model=with_x, tokenizer_class=_class)
for _family in ("llama", "gpt_neox"):
    with_config("no tokenizer_config.json", _family, files={"tokenizer_config.json": None})
    with_config("an empty tokenizer_config.json", _family, files={"tokenizer_config.json": {}})
with_config("no add_bos_token", add_bos_token=False)
for _key, _values in (("padding_side", ("x", None, "left")), ("truncation_side", (0, "right")), ("model_max_length", ("7", None)),
                      ("split_special_tokens", ("false", None)), ("added_tokens_decoder", (None,)), ("auto_map", (None,))):
    for _value in _values:
        with_config(f"{_key} = {json.dumps(_value)}", **{_key: _value})
with_config("a token of a name of its own", may_refuse=True, image_token="the")
with_config("a token of a name of its own that the file has", model=with_x, image_token="<|x|>")
with_config("a token of a name of its own in special_tokens_map.json", may_refuse=True,
            files={"special_tokens_map.json": {"image_token": "fox"}})
with_config("flags that end like tokens", add_bos_token="the", add_eos_token="fox")
with_config("flags that end like tokens in special_tokens_map.json", may_refuse=True,
            files={"special_tokens_map.json": {"add_bos_token": True}})
with_config("tokens of names of their own", may_refuse=True, model_specific_special_tokens={"image_token": "fox"})
with_config("arguments of its class", may_refuse=True, init_inputs=[1])


def with_padding(model):
    model.tokenizer["padding"] = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 258,
                                  "pad_type_id": 0, "pad_token": "the"}


with_config("padding with a token", model=with_padding)
with_config("padding with a token, and no pad_token", model=with_padding, pad_token=None)
with_config("padding with a token, and another pad_token", model=with_padding, pad_token="<|endoftext|>")
with_config("padding with a token, GPT2Tokenizer", model=with_padding, tokenizer_class="GPT2Tokenizer")
with_config("padding with a token, GPTNeoXTokenizer", "gpt_neox", may_refuse=True, model=lambda model: (
    neox_s_own(model), with_padding(model)), tokenizer_class="GPTNeoXTokenizer")
with_config("add_eos_token", may_refuse=True, add_eos_token=True)
with_config("add_bos_token, of another type", may_refuse=True, add_bos_token="true")
with_config("added_tokens_decoder has what the file has", model=with_x, added_tokens_decoder={"271": X})
with_config("added_tokens_decoder has one more", may_refuse=True, added_tokens_decoder={"271": X})
with_config("added_tokens_decoder has other flags", may_refuse=True, model=with_x,
            added_tokens_decoder={"271": {**X, "lstrip": True, "rstrip": True}})
with_config("added_tokens_decoder has another id", may_refuse=True, model=with_x, added_tokens_decoder={"280": X})
with_config("added_tokens_decoder is no object", may_refuse=True, added_tokens_decoder=[])
with_config("added_tokens.json has one more", may_refuse=True, files={"added_tokens.json": {"<|x|>": 271}})
with_config("added_tokens.json has what the file has", may_refuse=True, model=with_x, files={"added_tokens.json": {"<|x|>": 271}})
with_config("special_tokens_map.json says the same",
            files={"special_tokens_map.json": {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}})
with_config("special_tokens_map.json has one more", may_refuse=True, files={"special_tokens_map.json": {"pad_token": "<|x|>"}})
with_config("special_tokens_map.json has others", may_refuse=True, files={"special_tokens_map.json": {"bos_token": "the"}})
with_config("a pad_token that the file has not", may_refuse=True, pad_token="<|x|>")
with_config("a pad_token that the vocabulary has", may_refuse=True, pad_token="the")
with_config("an unk_token that the file has not", may_refuse=True, unk_token="<|x|>")
with_config("more special tokens", may_refuse=True, additional_special_tokens=["<|x|>", "fox"])
with_config("more special tokens that the file has", may_refuse=True, model=with_x, additional_special_tokens=["<|x|>"])
with_config("special tokens as objects", bos_token={**X, "content": "<|endoftext|>"}, eos_token={**X, "content": "<|endoftext|>"})
with_config("special tokens that take white space", may_refuse=True, bos_token={**X, "content": "<|endoftext|>", "lstrip": True})
with_config("split_special_tokens", may_refuse=True, split_special_tokens=True)
with_config("do_lower_case", may_refuse=True, do_lower_case=True)
with_config("a length and a template", model_max_length=7, chat_template="{{ messages }}", clean_up_tokenization_spaces=True)
with_config("a class of its own", may_refuse=True, auto_map={"AutoTokenizer": ["tokenization_own.Own", None]})
with_config("the class in config.json", may_refuse=True, config={"tokenizer_class": "GPT2Tokenizer"}, tokenizer_class="absent")
with_config("vocab.json and merges.txt beside it", files={"vocab.json": {"a": 0}})


def with_x_and_fox(model):
    neox_s_own(model)
    with_added(model, added("<|x|>", special=True), added("fox"))


for _class in ("GPTNeoXTokenizer", "PreTrainedTokenizerFast"):
    with_config(f"{_class}, added_tokens_decoder lacks what the file has", "gpt_neox", True, model=with_x_and_fox,
                tokenizer_class=_class, added_tokens_decoder={"271": X})
    with_config(f"{_class}, added_tokens_decoder, and special_tokens_map.json has one more", "gpt_neox", True, model=with_x_and_fox,
                tokenizer_class=_class, added_tokens_decoder={"271": X}, files={"special_tokens_map.json": {"pad_token": "the"}})
    with_config(f"{_class}, all tokens in the decoder", "gpt_neox", True, model=with_x_and_fox, tokenizer_class=_class,
                added_tokens_decoder={"0": {**X, "content": "<|endoftext|>"}, "271": X, "272": {**X, "content": "fox", "special": False}})
    with_config(f"{_class}, two special tokens that are new", "gpt_neox", True, model=neox_s_own, tokenizer_class=_class,
                pad_token="<|x|>", unk_token="quick")
    with_config(f"{_class}, a special token as an object of its class", "gpt_neox", True, model=with_x_and_fox, tokenizer_class=_class,
                pad_token={**X, "__type": "AddedToken"})
    with_config(f"{_class}, the same in special_tokens_map.json, as objects", "gpt_neox", True, model=with_x_and_fox,
                tokenizer_class=_class, files={"special_tokens_map.json": {
                    "bos_token": {**X, "content": "<|endoftext|>"}, "pad_token": X, "additional_special_tokens": ["<|x|>"]}})
    with_config(f"{_class}, a template", "gpt_neox", True, tokenizer_class=_class, model=lambda model: (
        neox_s_own(model), model.tokenizer.update(post_processor={
            "type": "TemplateProcessing", "single": [token("x"), A], "pair": [token("x"), A],
            "special_tokens": {"x": {"id": "x", "ids": [5], "tokens": ["x"]}}})))
