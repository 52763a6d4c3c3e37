#!/usr/bin/env python3
"""Makes a small GPT-NeoX with random weights and the real Pythia tokenizer, for the parity tests.

    make_random_neox.py TOKENIZER_JSON_GZ OUT_DIR

The same bytes on every machine: weights come from the raw 64-bit outputs of PCG64, not from a
distribution whose code may change. Needs numpy.
"""
import gzip
import json
import os
import struct
import sys

import numpy as np

LAYERS, HIDDEN, HEADS, INNER, VOCABULARY, POSITIONS = 6, 128, 4, 512, 50304, 1024

CONFIG = {
    "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_act": "gelu",
    "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
    "intermediate_size": INNER, "vocab_size": VOCABULARY, "max_position_embeddings": POSITIONS,
    "rotary_pct": 0.25, "rotary_emb_base": 10000, "layer_norm_eps": 1e-5, "attention_bias": True,
    "use_parallel_residual": True, "tie_word_embeddings": False, "bos_token_id": 0,
    "eos_token_id": 0, "torch_dtype": "float32",
}


def shapes():
    yield "gpt_neox.embed_in.weight", (VOCABULARY, HIDDEN)
    for i in range(LAYERS):
        layer = f"gpt_neox.layers.{i}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            yield layer + norm + ".weight", (HIDDEN,)
            yield layer + norm + ".bias", (HIDDEN,)
        for name, out, inp in (("attention.query_key_value", 3 * HIDDEN, HIDDEN),
                               ("attention.dense", HIDDEN, HIDDEN),
                               ("mlp.dense_h_to_4h", INNER, HIDDEN),
                               ("mlp.dense_4h_to_h", HIDDEN, INNER)):
            yield layer + name + ".weight", (out, inp)
            yield layer + name + ".bias", (out,)
    yield "gpt_neox.final_layer_norm.weight", (HIDDEN,)
    yield "gpt_neox.final_layer_norm.bias", (HIDDEN,)
    yield "embed_out.weight", (VOCABULARY, HIDDEN)


def values(name, shape, bits):
    """Uniform, wide enough that log-likelihoods and arg-maxes differ between contexts."""
    raw = bits.random_raw(int(np.prod(shape))) >> np.uint64(40)  # 24 bits: exact in float32.
    uniform = raw.astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    if "norm" in name and name.endswith(".weight"):
        return (np.float32(1) + np.float32(0.2) * uniform).reshape(shape)
    width = 0.6 if name == "embed_out.weight" else 2.5 / np.sqrt(shape[-1]) if len(shape) > 1 else 0.1
    return (np.float32(width) * uniform).reshape(shape)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    out_dir = sys.argv[2]
    os.makedirs(out_dir, exist_ok=True)
    bits, header, offset, blobs = np.random.PCG64(1234), {}, 0, []
    for name, shape in shapes():
        blob = values(name, shape, bits).tobytes()
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 64 + 56)
    with open(os.path.join(out_dir, "model.safetensors"), "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    with gzip.open(sys.argv[1]) as tokenizer, open(os.path.join(out_dir, "tokenizer.json"), "wb") as out:
        out.write(tokenizer.read())
    for name, content in (("tokenizer_config.json",
                           {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>",
                            "eos_token": "<|endoftext|>"}),
                          ("config.json", CONFIG)):  # config.json last: with it the model is whole.
        with open(os.path.join(out_dir, name), "w") as out:
            json.dump(content, out, indent=1)


if __name__ == "__main__":
    main()
