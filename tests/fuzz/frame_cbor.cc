// What worker and engine say to each other (base/frame.h, docs/engine_protocol.md), as a stream of
// bytes. Every frame that is let in is what another reader of CBOR, written here by RFC 8949 and
// without a bound, makes of the same bytes; and comes through another line as it was. Reading takes
// at most 64 KiB and 120 bytes a byte of CBOR: an empty string is one byte, and a value here.
#include "base/frame.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/file.h"
#include "input.h"
#include "memory.h"
#include "target.h"

namespace muster::fuzz {
namespace {

constexpr size_t kMemory = 64 << 10, kMemoryPerByte = 120;
constexpr size_t kMostSent = 32 << 10;  // So that a socket takes it without a reader.

// The definition, for what has been let in: nothing is checked that need not be.
class PlainCbor {
 public:
  explicit PlainCbor(std::string_view bytes) : in_(bytes) {}

  // Nothing: a break, or what JSON has no word for.
  std::optional<Json> next() {
    const uint8_t head = in_.byte();
    const int more = head & 0x1f;
    const bool endless = more == 31;
    if (head >> 5 == 7) return simple(more);
    const uint64_t argument = more < 24 ? static_cast<uint64_t>(more) : endless ? 0 : number(more);
    switch (head >> 5) {
      case 0:
        return argument;
      case 1:
        if (argument > INT64_MAX) return {};
        return -1 - static_cast<int64_t>(argument);
      case 2: {
        const std::string_view bytes = in_.take(argument);
        return Json::binary({bytes.begin(), bytes.end()});
      }
      case 3:
        return std::string(in_.take(argument));
      case 4:
        return list(argument, endless);
      case 5:
        return map(argument, endless);
      default:
        return {};
    }
  }

 private:
  uint64_t number(int more) {
    uint64_t value = 0;
    for (int bytes = 1 << (more - 24); bytes > 0; --bytes) value = value << 8 | in_.byte();
    return value;
  }
  std::optional<Json> simple(int more) {
    if (more == 20 || more == 21) return more == 21;
    if (more == 22) return Json();
    if (more == 25) return half(static_cast<unsigned>(number(more)));
    if (more == 26) {
      const auto bits = static_cast<uint32_t>(number(more));
      float value = 0;
      std::memcpy(&value, &bits, sizeof value);
      return static_cast<double>(value);
    }
    if (more != 27) return {};
    const uint64_t bits = number(more);
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  static Json half(unsigned bits) {
    const int exponent = static_cast<int>(bits >> 10 & 0x1f);
    const double fraction = bits & 0x3ff;
    const double value =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
    return (bits & 0x8000) != 0 ? -value : value;
  }
  std::optional<Json> list(uint64_t count, bool endless) {
    Json out = Json::array();
    while (endless || count-- > 0) {
      auto value = next();
      if (!value) break;
      out.push_back(*std::move(value));
    }
    return out;
  }
  std::optional<Json> map(uint64_t count, bool endless) {
    Json out = Json::object();
    while (endless || count-- > 0) {
      const auto key = next();
      if (!key || !key->is_string()) break;
      auto value = next();
      if (!value) break;
      out[key->get<std::string>()] = *std::move(value);
    }
    return out;
  }

  Input in_;
};

int file_with(std::string_view bytes) {
  static const int file = ::memfd_create("frames", 0);
  MUSTER_CHECK(file >= 0 && ::ftruncate(file, 0) == 0 && ::lseek(file, 0, SEEK_SET) == 0);
  MUSTER_CHECK(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  MUSTER_CHECK(::lseek(file, 0, SEEK_SET) == 0);
  return file;
}

void pass_on(const Json& message) {
  int ends[2];
  MUSTER_CHECK(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const Descriptor one(ends[0]), other(ends[1]);
  MUSTER_CHECK(write_frame(one.fd, message));
  const auto came = read_frame(other.fd);
  MUSTER_CHECK(came && *came && **came == message);
}

void check_message(std::string_view body, const Json& message) {
  size_t memory = peak_bytes([&] { MUSTER_CHECK(parse_cbor(body, body.size())); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * body.size());
  const auto plain = PlainCbor(body).next();
  MUSTER_CHECK(plain && *plain == message);
  if (body.size() < kMostSent) pass_on(message);
}

}  // namespace

void run(std::string_view input) {
  // The stream, and the same bytes as the body of one frame: few mutations of a stream fit.
  const size_t memory = peak_bytes([&] { (void)parse_cbor(input, input.size()); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * input.size());
  if (const auto body = parse_cbor(input, input.size())) check_message(input, *body);
  const int file = file_with(input);
  while (true) {
    const auto at = static_cast<size_t>(::lseek(file, 0, SEEK_CUR));
    const auto frame = read_frame(file);
    if (!frame || !*frame) return;
    const auto end = static_cast<size_t>(::lseek(file, 0, SEEK_CUR));
    MUSTER_CHECK(end <= input.size() && end - at >= 5 && end - at - 4 <= kMaxFrameBytes);
    check_message(input.substr(at + 4, end - at - 4), **frame);
  }
}

namespace {

std::string framed(const std::string& body) {
  const size_t size = body.size();
  return std::string({static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                      static_cast<char>(size >> 8), static_cast<char>(size)}) +
         body;
}

}  // namespace

std::vector<std::string> seeds() {
  const Json messages[] = {
      {{"type", "load"}, {"id", 1}, {"model", "/models/a"}, {"threads", 0}},
      {{"type", "score"}, {"id", 2}, {"requests", {{"context", " continuation"}, {"", "é"}}}},
      {{"type", "ready"}, {"id", 1}, {"numeric_class", "approximate"}, {"parameters", 14067712}},
      {{"type", "scores"},
       {"id", 2},
       {"model_digest", std::string(64, 'a')},
       {"results", {{-1.25, true, 3, 0.5}, {-1e300, false, 70000, 1e-5}}}},
      {{"type", "failed"}, {"id", -5000000000}, {"code", "data loss"}, {"message", nullptr}},
      {{"bytes", Json::binary({1, 2, 3})}, {"half", 0.5f}, {"none", Json::object()}}};
  std::vector<std::string> out;
  std::string all;
  for (const Json& message : messages) {
    out.push_back(to_cbor(message));
    out.push_back(framed(out.back()));
    all += out.back();
  }
  out.push_back(all);
  out.push_back("\x9f\x01\xbf\x61\x61\xf9\x3c\x00\xff\xff");  // Of unknown length.
  out.push_back(std::string("\x82\x3b\x7f\xff\xff\xff\xff\xff\xff\xff\x20", 11));
  out.push_back("\x85\x60\x40\x80\xa0\xf6");
  return out;
}

std::vector<std::string> words() {
  return {
      "\x9f", "\xbf", "\xff", "\xfb", "\xfa",   "\xf9\x7c", "\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
      "\x1b", "\x5f", "\x7f", "\xc1", "\x62id", "\x64type", "\x68requests"};
}

}  // namespace muster::fuzz
