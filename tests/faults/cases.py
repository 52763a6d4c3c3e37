"""Models of users, by row of the table of faults: each writes one directory. The reference's word on each is in
tests/data/faults.json (tools/models/make_fault_values.py): its scores, or that it refuses."""
import json

from models import EMBEDDING, HEAD, HIDDEN, LAYERS, Tensor, safetensors, tensors_of

CASES = []  # (row, name, function that changes a Model, whether muster may refuse what the reference does)


def case(row, family="llama", may_refuse=False):
    def add(change):
        CASES.append((row, f"{change.__name__} ({family})", family, change, may_refuse))
        return change
    return add


def both(row, **more):
    def add(change):
        for family in ("llama", "gpt_neox"):
            case(row, family, **more)(change)
        return change
    return add


def configs(row, family, *changes, **more):
    """One case for each change of config.json."""
    for change in changes:
        def apply(model, change=change):
            model.config.update(change)
        apply.__name__ = json.dumps(change)
        case(row, family, **more)(apply)


# 1: files of a checkpoint that say more than one thing.

def in_shards(tensors, stale=()):
    """Two shards and their index. What is named in `stale` is in the first one, too, with other values."""
    names = list(tensors)
    halves = names[:len(names) // 2], names[len(names) // 2:]
    old = tensors_of("llama", seed=2)
    first = {name: tensors[name] for name in halves[0]} | {name: old[name] for name in stale}
    second = {name: tensors[name] for name in halves[1]}
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"metadata": {"total_size": 1}, "weight_map": {name: shards[name in second] for name in names}}
    return {shards[0]: safetensors(first, metadata={"format": "pt"}),
            shards[1]: safetensors(second, metadata={"format": "pt"}),
            "model.safetensors.index.json": json.dumps(index).encode()}


@both(1)
def shards(model):
    model.files.update(in_shards(model.tensors), **{"model.safetensors": None})


@case(1)
def shards_of_an_older_save_beside_one_file(model):
    model.files.update(in_shards(tensors_of("llama", seed=2)))


@case(1)
def an_index_beside_one_file_and_no_shards(model):
    model.files["model.safetensors.index.json"] = in_shards(model.tensors)["model.safetensors.index.json"]


@case(1)
def a_tensor_that_two_shards_have(model):
    names = list(model.tensors)[len(model.tensors) // 2:]
    model.files.update(in_shards(model.tensors, stale=[name for name in names if "norm" in name]),
                       **{"model.safetensors": None})


@case(1)
def a_shard_that_the_index_does_not_name(model):
    model.files.update(in_shards(model.tensors), **{"model.safetensors": None})
    model.files["model-00003-of-00003.safetensors"] = b"not a shard at all"


@case(1)
def a_shard_that_is_missing(model):
    model.files.update(in_shards(model.tensors), **{"model.safetensors": None, "model-00002-of-00002.safetensors": None})


@case(1)
def an_index_of_nothing(model):
    model.files.update({"model.safetensors": None, "model.safetensors.index.json": b'{"weight_map": {}}'})


@case(1)
def tensors_that_no_weight_is(model):
    model.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = Tensor.random((4,), "extra")
    model.tensors["model.layers.7.input_layernorm.weight"] = Tensor.random((HIDDEN,), "extra")
    model.tensors["model.layers.0.self_attn.q_proj.bias"] = Tensor.random((HIDDEN,), "extra")


# 2: flags of config.json that the tensors contradict.

@both(2)
def tied_and_a_head_of_its_own(model):
    model.config["tie_word_embeddings"] = True


@both(2)
def tied_and_no_head(model):
    model.config["tie_word_embeddings"] = True
    del model.tensors[HEAD[model.family]]


@both(2)
def tied_and_no_embedding(model):
    model.config["tie_word_embeddings"] = True
    del model.tensors[EMBEDDING[model.family]]


@case(2)
def tied_and_the_same_head(model):
    model.config["tie_word_embeddings"] = True
    model.tensors[HEAD["llama"]] = model.tensors[EMBEDDING["llama"]]


@case(2)
def fewer_layers_than_the_file_has(model):
    model.config["num_hidden_layers"] = LAYERS - 1


@both(2)
def a_smaller_vocabulary(model):
    model.config["vocab_size"] = 290


@case(2)
def more_key_value_heads(model):
    model.config["num_key_value_heads"] = 4


@case(2, "gpt_neox")
def no_attention_bias_and_the_file_has_it(model):
    model.config["attention_bias"] = False


@both(2)
def sixteen_bits(model):
    for name in model.tensors:
        model.tensors[name] = model.tensors[name].as_type("F16" if "layers.0" in name else "BF16")


@case(2, may_refuse=True)
def sixty_four_bits(model):
    model.tensors["model.norm.weight"] = model.tensors["model.norm.weight"].as_type("F64")


def renamed(model, change):
    model.tensors = {change(name): tensor for name, tensor in model.tensors.items()}


@both(2)
def names_without_the_prefix(model):
    renamed(model, lambda name: name.split(".", 1)[1] if name.startswith(("model.", "gpt_neox.")) else name)


@both(2)
def the_prefix_stands_twice(model):
    renamed(model, lambda name: f"{name.split('.')[0]}.{name}" if name.startswith(("model.", "gpt_neox.")) else name)


@both(2)
def tied_and_a_head_behind_the_prefix(model):
    model.config["tie_word_embeddings"] = True
    model.tensors[{"llama": "model", "gpt_neox": "gpt_neox"}[model.family] + ".lm_head.weight"] = model.tensors.pop(HEAD[model.family])


@case(2, "gpt_neox")
def a_head_of_the_newer_name(model):
    model.tensors["lm_head.weight"] = model.tensors.pop(HEAD["gpt_neox"])


@case(2, "gpt_neox")
def tied_and_a_head_of_the_newer_name(model):
    model.config["tie_word_embeddings"] = True
    a_head_of_the_newer_name(model)


@case(2, "gpt_neox")
def two_heads(model):
    model.tensors["lm_head.weight"] = Tensor.random((300, HIDDEN), "another")


def twice(name, family, weight, other):
    def change(model):
        model.tensors[other] = Tensor(model.tensors[weight].shape, [value * 2 for value in model.tensors[weight].values])
    change.__name__ = name
    case(2, family)(change)


twice("embeddings of two names", "llama", "model.embed_tokens.weight", "embed_tokens.weight")
twice("embeddings behind two prefixes", "llama", "model.embed_tokens.weight", "model.model.embed_tokens.weight")
twice("norms of two names", "llama", "model.norm.weight", "norm.weight")
twice("norms behind two prefixes", "llama", "model.norm.weight", "model.model.norm.weight")
twice("heads of two names", "llama", "lm_head.weight", "model.lm_head.weight")
twice("norms of two names", "gpt_neox", "gpt_neox.final_layer_norm.weight", "final_layer_norm.weight")
twice("layers of two names", "gpt_neox", "gpt_neox.layers.1.mlp.dense_4h_to_h.bias", "layers.1.mlp.dense_4h_to_h.bias")
twice("heads of two names", "gpt_neox", "embed_out.weight", "gpt_neox.embed_out.weight")


# 8: fields with another type, fields that a family ignores, defaults.

configs(8, "llama", *[{key: value} for key in ("hidden_size", "num_attention_heads", "vocab_size", "num_hidden_layers")
                      for value in ("32", 32.0, None, True)])
configs(8, "llama", {"num_key_value_heads": "2"}, {"num_key_value_heads": 2.0}, {"head_dim": "8"}, {"head_dim": 8.0},
        {"head_dim": None}, {"rms_norm_eps": "1e-5"}, {"rms_norm_eps": 1}, {"rms_norm_eps": None}, {"attention_bias": 0},
        {"attention_bias": "false"}, {"attention_bias": None}, {"mlp_bias": 0}, {"tie_word_embeddings": "false"},
        {"tie_word_embeddings": None}, {"hidden_act": None}, {"hidden_act": ["silu"]}, {"max_position_embeddings": "128"},
        {"max_position_embeddings": 128.0}, {"max_position_embeddings": None})
configs(8, "llama", {"rope_theta": "500000"}, {"rope_theta": 500000}, {"rope_theta": 500000.0},
        {"rope_scaling": "linear"}, {"rope_scaling": {}}, {"rope_scaling": None}, {"rope_scaling": []},
        {"rope_scaling": {"type": "linear", "factor": 2}}, {"rope_scaling": {"rope_type": "linear", "factor": "2"}},
        {"rope_scaling": {"rope_type": "linear"}}, {"rope_scaling": {"factor": 2.0}},
        {"rope_scaling": {"rope_type": "linear", "factor": 2.0, "type": "dynamic"}},
        {"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "rope_parameters": {"rope_theta": 50.0}},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 50.0}, "rope_theta": 777.0},
        {"rope_parameters": {"rope_type": "default"}, "rope_theta": 777.0},
        {"rope_parameters": {"rope_theta": "50"}},
        {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                          "original_max_position_embeddings": 16}},
        {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}},
        {"rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
                          "original_max_position_embeddings": 16}},
        {"partial_rotary_factor": 0.5}, {"partial_rotary_factor": "half"},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 50.0, "partial_rotary_factor": 0.5}},
        {"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "partial_rotary_factor": 0.5})
configs(8, "llama", {"rope_scaling": {"rope_type": "yarn", "factor": 2.0}},
        {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, {"hidden_act": "gelu"}, {"hidden_act": "swish"},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}}, {"model_type": "mistral"},
        {"rope_theta": 0}, {"rope_theta": -1.0}, may_refuse=True)
configs(8, "gpt_neox", {"rotary_pct": "0.5"}, {"rotary_pct": 1}, {"rotary_pct": 1.0}, {"rotary_emb_base": 500},
        {"rotary_emb_base": "500"}, {"rope_theta": 50.0}, {"partial_rotary_factor": 1.0},
        {"rope_parameters": {"rope_theta": 50.0}, "rotary_emb_base": 700},
        {"rope_scaling": {"type": "linear", "factor": 2.0}, "rotary_emb_base": 700}, {"num_key_value_heads": 2},
        {"use_parallel_residual": "yes"}, {"use_parallel_residual": None}, {"use_parallel_residual": False},
        {"layer_norm_eps": None}, {"layer_norm_eps": "1e-5"}, {"attention_bias": "true"}, {"rotary_pct": None})
configs(8, "gpt_neox", {"hidden_act": "gelu_new"}, {"head_dim": 4}, may_refuse=True)
# On these no score depends.
configs(8, "llama", {"use_cache": "true"}, {"use_cache": 1}, {"initializer_range": "0.02"}, {"initializer_range": 1},
        {"bos_token_id": "1"}, {"bos_token_id": True}, {"eos_token_id": [0, 1]}, {"eos_token_id": ["0"]}, {"eos_token_id": None},
        {"pad_token_id": 0.0}, {"pad_token_id": -1}, {"attention_dropout": "0.1"}, {"attention_dropout": None},
        {"pretraining_tp": True}, {"hidden_dropout": "0.1"})
configs(8, "gpt_neox", {"use_cache": None}, {"attention_dropout": None}, {"hidden_dropout": "0"}, {"hidden_dropout": 0},
        {"classifier_dropout": False}, {"is_decoder": 1}, {"pretraining_tp": True})


@both(8)
def what_has_defaults_is_left_out(model):
    for key in ("hidden_act", "rms_norm_eps", "layer_norm_eps", "rope_theta", "rotary_pct", "rotary_emb_base",
                "max_position_embeddings", "tie_word_embeddings", "use_parallel_residual"):
        model.config.pop(key, None)


@case(8)
def key_value_heads_are_left_out(model):
    del model.config["num_key_value_heads"]


# 9: files and JSON whose end is not their end.

@case(9)
def bytes_behind_the_last_tensor(model):
    model.files["model.safetensors"] = safetensors(model.tensors, rest=b"\0")


@case(9)
def blanks_behind_the_header(model):
    model.files["model.safetensors"] = safetensors(model.tensors, padding=b" \n\t ")


@case(9)
def zeros_behind_the_header(model):
    model.files["model.safetensors"] = safetensors(model.tensors, padding=b"\0" * 8)


@case(9)
def metadata_that_is_no_text(model):
    model.files["model.safetensors"] = safetensors(model.tensors, metadata={"format": 1})


@case(9)
def a_type_that_nobody_knows(model):
    written = safetensors(model.tensors)
    model.files["model.safetensors"] = written.replace(b'"F32"', b'"F99"', 1)


def ends_otherwise(name, content):
    @case(9)
    def change(model):
        whole = {"config.json": model.config, "tokenizer.json": model.tokenizer,
                 "tokenizer_config.json": model.tokenizer_config}[name]
        model.files[name] = content(json.dumps(whole).encode())
    CASES[-1] = (9, f"{name}: {content.__name__}", *CASES[-1][2:])


def a_zero_byte_ends_it(text):
    return text + b"\0"


def more_behind_a_zero_byte(text):
    return text + b"\0{}"


def a_byte_order_mark(text):
    return b"\xef\xbb\xbf" + text


def more_behind_it(text):
    return text + b"{}"


def blanks_around_it(text):
    return b" \n" + text + b"\r\n\t "


for _name in ("config.json", "tokenizer.json"):
    for _content in (a_zero_byte_ends_it, more_behind_a_zero_byte, a_byte_order_mark, more_behind_it, blanks_around_it):
        ends_otherwise(_name, _content)
