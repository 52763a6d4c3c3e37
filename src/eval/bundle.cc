#include "eval/bundle.h"

#define MUSTER_EMBED(symbol, file)                                          \
  __asm__(                                                                  \
      ".section .rodata\n"                                                  \
      ".global muster_bundle_" #symbol                                      \
      "_begin\n"                                                            \
      ".global muster_bundle_" #symbol                                      \
      "_end\n"                                                              \
      "muster_bundle_" #symbol "_begin:\n.incbin \"" MUSTER_BUNDLE "/" file \
      "\"\nmuster_bundle_" #symbol "_end:\n.byte 0\n.previous\n");          \
  extern "C" const char muster_bundle_##symbol##_begin[];                   \
  extern "C" const char muster_bundle_##symbol##_end[];

MUSTER_EMBED(tiny_mmlu, "tinyMMLU.jsonl")
MUSTER_EMBED(tiny_hellaswag, "tinyHellaswag.jsonl")
MUSTER_EMBED(mmlu_dev, "mmlu_dev.jsonl")

namespace muster::eval {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::string_view bundled(std::string_view name) {
  if (name == "tinyMMLU.jsonl") {
    return between(muster_bundle_tiny_mmlu_begin, muster_bundle_tiny_mmlu_end);
  }
  if (name == "tinyHellaswag.jsonl") {
    return between(muster_bundle_tiny_hellaswag_begin, muster_bundle_tiny_hellaswag_end);
  }
  if (name == "mmlu_dev.jsonl") {
    return between(muster_bundle_mmlu_dev_begin, muster_bundle_mmlu_dev_end);
  }
  return {};
}

}  // namespace muster::eval
