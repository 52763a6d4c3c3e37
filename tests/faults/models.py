"""Small models of both families, for what users' files may say: two layers over a byte-level tokenizer, the same bytes
everywhere. A case writes one and changes what it is about."""
import hashlib
import json
import math
import os
import random
import struct

HIDDEN, INNER, LAYERS, HEADS, VOCABULARY = 32, 64, 2, 4, 300
REQUESTS = [("The quick brown", " fox jumps"), ("naïve café", " déjà vu"), ("1234 + 5678 =", " 6912")]

COMMON = {"hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
          "vocab_size": VOCABULARY, "max_position_embeddings": 128, "bos_token_id": 0, "eos_token_id": 0}
CONFIGS = {
    "llama": {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "rms_norm_eps": 1e-5,
              "num_key_value_heads": 2, "rope_theta": 10000.0, "tie_word_embeddings": False, **COMMON},
    "gpt_neox": {"model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "hidden_act": "gelu",
                 "layer_norm_eps": 1e-5, "rotary_pct": 0.5, "rotary_emb_base": 10000, "use_parallel_residual": True,
                 "tie_word_embeddings": False, **COMMON},
}
HEAD = {"llama": "lm_head.weight", "gpt_neox": "embed_out.weight"}
EMBEDDING = {"llama": "model.embed_tokens.weight", "gpt_neox": "gpt_neox.embed_in.weight"}


def shapes(family):
    yield EMBEDDING[family], (VOCABULARY, HIDDEN)
    for i in range(LAYERS):
        if family == "llama":
            layer, kv = f"model.layers.{i}.", HIDDEN // HEADS * 2
            yield layer + "input_layernorm.weight", (HIDDEN,)
            yield layer + "post_attention_layernorm.weight", (HIDDEN,)
            for name, out in (("q_proj", HIDDEN), ("k_proj", kv), ("v_proj", kv), ("o_proj", HIDDEN)):
                yield f"{layer}self_attn.{name}.weight", (out, HIDDEN)
            yield layer + "mlp.gate_proj.weight", (INNER, HIDDEN)
            yield layer + "mlp.up_proj.weight", (INNER, HIDDEN)
            yield layer + "mlp.down_proj.weight", (HIDDEN, INNER)
            continue
        layer = f"gpt_neox.layers.{i}."
        for name, shape in (("input_layernorm", (HIDDEN,)), ("post_attention_layernorm", (HIDDEN,)),
                            ("attention.query_key_value", (3 * HIDDEN, HIDDEN)), ("attention.dense", (HIDDEN, HIDDEN)),
                            ("mlp.dense_h_to_4h", (INNER, HIDDEN)), ("mlp.dense_4h_to_h", (HIDDEN, INNER))):
            yield layer + name + ".weight", shape
            yield layer + name + ".bias", shape[:1]
    if family == "llama":
        yield "model.norm.weight", (HIDDEN,)
    else:
        yield "gpt_neox.final_layer_norm.weight", (HIDDEN,)
        yield "gpt_neox.final_layer_norm.bias", (HIDDEN,)
    yield HEAD[family], (VOCABULARY, HIDDEN)


class Tensor:
    """Row-major values, written as `dtype`."""

    FORMATS = {"F32": "f", "F64": "d", "I32": "i", "F16": "e", "U8": "B"}

    def __init__(self, shape, values, dtype="F32"):
        self.shape, self.values, self.dtype = shape, values, dtype

    @staticmethod
    def random(shape, seed):
        """Multiples of 2^-10, which every floating type of sixteen bits and more holds exactly."""
        draw = random.Random(seed)
        return Tensor(shape, [(draw.getrandbits(9) - 256) / 1024 for _ in range(math.prod(shape))])

    def as_type(self, dtype):
        return Tensor(self.shape, self.values, dtype)

    def bytes(self):
        if self.dtype == "BF16":
            return b"".join(struct.pack("<f", value)[2:] for value in self.values)
        return struct.pack(f"<{len(self.values)}{self.FORMATS[self.dtype]}", *self.values)


def tensors_of(family, seed=1):
    """Its weights, by name; norms are near one."""
    made = {name: Tensor.random(shape, f"{seed} {name}") for name, shape in shapes(family)}
    for name, tensor in made.items():
        if "norm" in name and name.endswith(".weight"):
            tensor.values = [1 + value for value in tensor.values]
        elif name == HEAD[family] or name == EMBEDDING[family]:
            tensor.values = [4 * value for value in tensor.values]
    return made


def safetensors(tensors, padding=b"", rest=b"", metadata=None):
    """The bytes of a file."""
    header, offset, blobs = {} if metadata is None else {"__metadata__": metadata}, 0, []
    for name, tensor in tensors.items():
        blobs.append(tensor.bytes())
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [offset, offset + len(blobs[-1])]}
        offset += len(blobs[-1])
    text = json.dumps(header, separators=(",", ":")).encode() + padding
    return struct.pack("<Q", len(text)) + text + b"".join(blobs) + rest


def byte_letters():
    """The printable stand-in of each byte (GPT-2)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters, more = {}, 0
    for byte in range(256):
        letters[byte] = chr(byte if byte in printable else 256 + more)
        more += byte not in printable
    return letters


def tokenizer():
    """tokenizer.json as an object: <|endoftext|>, 256 bytes, some merges."""
    letters = byte_letters()
    vocabulary = {"<|endoftext|>": 0}
    for byte in range(256):
        vocabulary[letters[byte]] = len(vocabulary)
    space = letters[0x20]
    merges = [("t", "h"), ("th", "e"), (space, "the"), ("e", "r"), ("i", "n"), (space, "f"), ("o", "x"), (space + "f", "ox"),
              ("o", "w"), ("r", "ow"), ("1", "2"), ("12", "3"), (space, space), (letters[0xC3], letters[0xA9])]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": 0, "content": "<|endoftext|>", "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True}],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocabulary, "merges": [list(pair) for pair in merges]}}


TOKENIZER_CONFIG = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}


class Model:
    """A model directory in the making: whatever is changed before write() is what is written."""

    def __init__(self, family):
        self.family, self.config, self.tensors = family, dict(CONFIGS[family]), tensors_of(family)
        self.tokenizer, self.tokenizer_config = tokenizer(), dict(TOKENIZER_CONFIG)
        self.files = {}  # More files, or others instead: name to bytes, or None for none.

    def write(self, directory):
        os.makedirs(directory, exist_ok=True)
        files = {"model.safetensors": safetensors(self.tensors, metadata={"format": "pt"}),
                 "tokenizer.json": json.dumps(self.tokenizer, ensure_ascii=False).encode(),
                 "tokenizer_config.json": json.dumps(self.tokenizer_config).encode(),
                 "config.json": json.dumps(self.config).encode(), **self.files}
        for name, content in files.items():
            if content is not None:
                with open(os.path.join(directory, name), "wb") as file:
                    file.write(content)


def write_changed(family, change, directory):
    """Writes the model of a case, which is what `change` makes of a plain one; returns it."""
    model = Model(family)
    change(model)
    model.write(directory)
    return model


def hash_of(ids):
    """Of lists of token ids: what is committed of them."""
    lines = hashlib.sha256()
    for of_text in ids:
        lines.update(json.dumps(of_text, separators=(",", ":")).encode() + b"\n")
    return lines.hexdigest()[:16]
