#pragma once

#include <chrono>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace muster::io {

// How the Hub is reached and where its cache is, from the environment as huggingface_hub reads it;
// a variable that is empty counts as not set.
struct HubSettings {
  std::string endpoint;  // HF_ENDPOINT, without slashes at its end.
  // HF_TOKEN, else HUGGING_FACE_HUB_TOKEN, else the file HF_TOKEN_PATH or $HF_HOME/token; none
  // under HF_HUB_DISABLE_IMPLICIT_TOKEN.
  std::string token;
  // HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE, else $HF_HOME/hub, where HF_HOME is
  // $XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface, unless set.
  Path cache;
  std::string proxy;      // Of whoever made them, for HttpGet (io/http.h).
  bool offline = false;   // HF_HUB_OFFLINE, else TRANSFORMERS_OFFLINE.
  bool no_links = false;  // HF_HUB_DISABLE_SYMLINKS: snapshots hold copies.
  std::chrono::milliseconds lookup_deadline{
      20'000};  // For one answer about a model, not its files.

  // kInvalidArgument names a variable that cannot be what it should be.
  static Result<HubSettings> from_environment();
};

}  // namespace muster::io
