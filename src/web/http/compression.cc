#include "web/http/compression.h"

#include <zlib.h>

#include <algorithm>
#include <string>

#include "base/check.h"

namespace muster::web {
namespace {

constexpr int kLevel = 5, kGzip = 15 + 16, kMemory = 8;

bool is_text(std::string_view type) {
  return type.starts_with("text/") || type.find("json") != std::string_view::npos ||
         type.find("svg") != std::string_view::npos;
}

bool is_packed(const Reply& reply) {
  return std::any_of(reply.fields.begin(), reply.fields.end(),
                     [](const auto& field) { return field.first == "Content-Encoding"; });
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  MUSTER_CHECK(deflateInit2(&stream, kLevel, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) ==
               Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  MUSTER_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

void compress(const Request& request, Reply& reply) {
  const bool is_worth_it = reply.body && reply.body->size() >= kWorthBytes && is_text(reply.type);
  if (!is_worth_it || is_packed(reply)) return;
  reply.fields.emplace_back("Vary", "Accept-Encoding");
  if (request.field("accept-encoding").find("gzip") == std::string_view::npos) return;
  reply.body = std::make_shared<const std::string>(gzip(*reply.body));
  reply.fields.emplace_back("Content-Encoding", "gzip");
}

}  // namespace muster::web
