#include "engine/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "engine/tokenizer/bpe.h"

namespace muster::engine {
namespace {

constexpr size_t kMostSteps = 32;  // Each may keep 14 MB of compiled pattern; real files have five.

Error unsupported(const std::string& what) {
  return {Code::kUnsupported, "pre_tokenizer: " + what + " is not implemented"};
}

// Every digit of a text that is ASCII; false: it is not.
bool find_ascii_digits(std::string_view text, std::vector<Span>& matches) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (static_cast<unsigned char>(text[at]) >= 0x80) return false;
    if (text[at] >= '0' && text[at] <= '9') matches.push_back({at, at + 1});
  }
  return true;
}

std::string letters_of(std::string_view bytes) {
  std::string letters;
  for (const unsigned char byte : bytes) letters += byte_alphabet()[byte];
  return letters;
}

std::string bytes_of(std::string_view letters) {
  static const std::unordered_map<std::string_view, char> bytes = [] {
    std::unordered_map<std::string_view, char> map;
    for (size_t byte = 0; byte < 256; ++byte) map[byte_alphabet()[byte]] = static_cast<char>(byte);
    return map;
  }();
  std::string out;
  while (!letters.empty()) {
    const size_t size = static_cast<unsigned char>(letters[0]) < 0x80 ? 1 : 2;
    out += bytes.at(letters.substr(0, size));
    letters.remove_prefix(size);
  }
  return out;
}

}  // namespace

Result<PreTokenizer> PreTokenizer::load(const Json& settings) {
  if (settings.is_null()) return fail(unsupported("none"));
  PreTokenizer out;
  MUSTER_TRY_STATUS(out.add(settings));
  const auto is_byte_level = [](const Step& step) { return step.is_byte_level; };
  const auto count = std::count_if(out.steps_.begin(), out.steps_.end(), is_byte_level);
  if (count != 1) return fail(unsupported(count == 0 ? "no ByteLevel" : "ByteLevel twice"));
  out.letters_are_seen_ = !out.steps_.back().is_byte_level;
  return out;
}

Status PreTokenizer::add(const Json& settings) {
  if (steps_.size() == kMostSteps) return fail(unsupported("more than 32 steps"));
  MUSTER_TRY(const auto type, get_string(settings, "type"));
  if (type == "Sequence") {
    for (const Json& step : get_or_null(settings, "pretokenizers")) {
      MUSTER_TRY_STATUS(add(step));
    }
    return {};
  }
  if (type == "Split") return add_split(settings);
  Step step;
  if (type == "ByteLevel") {
    step.is_byte_level = true;
    MUSTER_TRY(step.adds_space, get_bool(settings, "add_prefix_space"));
    // Older files do not have it.
    const bool is_old = get_or_null(settings, "use_regex").is_null();
    MUSTER_TRY(const bool use_regex, is_old ? Result<bool>(true) : get_bool(settings, "use_regex"));
    if (use_regex) {
      MUSTER_TRY(step.gpt2, Gpt2Pieces::create());
    }
  } else if (type == "Digits") {
    MUSTER_TRY(const bool individual, get_bool(settings, "individual_digits"));
    step.is_digits = true;
    MUSTER_TRY(step.pattern, Pattern::compile("\\p{N}"));
    step.behavior = individual ? Behavior::kIsolated : Behavior::kContiguous;
  } else {
    return fail(unsupported("type = " + type));
  }
  steps_.push_back(std::move(step));
  return {};
}

Status PreTokenizer::add_split(const Json& settings) {
  static const std::vector<std::pair<std::string, Behavior>> behaviors = {
      {"Isolated", Behavior::kIsolated},
      {"Removed", Behavior::kRemoved},
      {"MergedWithPrevious", Behavior::kMergedWithPrevious},
      {"MergedWithNext", Behavior::kMergedWithNext},
      {"Contiguous", Behavior::kContiguous}};
  Step step;
  MUSTER_TRY(const auto behavior, get_string(settings, "behavior"));
  const auto known = std::find_if(behaviors.begin(), behaviors.end(),
                                  [&](const auto& entry) { return entry.first == behavior; });
  if (known == behaviors.end()) return fail(unsupported("behavior = " + behavior));
  step.behavior = known->second;
  MUSTER_TRY(step.inverted, get_bool(settings, "invert"));
  const Json& pattern = get_or_null(settings, "pattern");
  const Json &regex = get_or_null(pattern, "Regex"), &literal = get_or_null(pattern, "String");
  if (regex.is_string()) {
    MUSTER_TRY(step.pattern, Pattern::compile(regex.get<std::string>()));
  } else if (literal.is_string()) {
    MUSTER_TRY(step.pattern, Pattern::literal(literal.get<std::string>()));
  } else {
    return fail(unsupported("pattern = " + pattern.dump()));
  }
  steps_.push_back(std::move(step));
  return {};
}

Status PreTokenizer::split(std::string_view text, std::vector<std::string_view>& pieces) {
  owned_.clear();
  pieces_.assign(1, text);
  for (const Step& step : steps_) MUSTER_TRY_STATUS(run(step, pieces_));
  if (letters_are_seen_) {
    for (std::string_view& piece : pieces_) piece = own(bytes_of(piece));
  }
  pieces.insert(pieces.end(), pieces_.begin(), pieces_.end());
  return {};
}

Status PreTokenizer::run(const Step& step, std::vector<std::string_view>& pieces) {
  finer_.clear();
  for (std::string_view piece : pieces) {
    if (step.adds_space && !piece.starts_with(' ')) piece = own(' ' + std::string(piece));
    if (step.gpt2) {
      MUSTER_TRY_STATUS(step.gpt2->split(piece, finer_));
    } else if (step.pattern) {
      MUSTER_TRY_STATUS(cut(step, piece, finer_));
    } else {
      finer_.push_back(piece);
    }
  }
  pieces.swap(finer_);
  if (!step.is_byte_level || !letters_are_seen_) return {};
  for (std::string_view& piece : pieces) piece = own(letters_of(piece));
  return {};
}

Status PreTokenizer::cut(const Step& step, std::string_view piece,
                         std::vector<std::string_view>& out) {
  matches_.clear();
  if (!step.is_digits || !find_ascii_digits(piece, matches_)) {
    matches_.clear();
    MUSTER_TRY_STATUS(step.pattern->find_all(piece, matches_));
  }
  if (step.behavior == Behavior::kIsolated) {  // Nearly always.
    size_t done = 0;
    for (const Span& match : matches_) {
      if (match.begin > done) out.push_back(piece.substr(done, match.begin - done));
      if (match.end > match.begin)
        out.push_back(piece.substr(match.begin, match.end - match.begin));
      done = match.end;
    }
    if (done < piece.size()) out.push_back(piece.substr(done));
    return {};
  }
  std::vector<Part> parts;  // All of it: what matches and what lies between.
  size_t done = 0;
  for (const Span& match : matches_) {
    if (match.begin != done) parts.push_back({{done, match.begin}, step.inverted});
    parts.push_back({match, !step.inverted});
    done = match.end;
  }
  if (done != piece.size()) parts.push_back({{done, piece.size()}, step.inverted});
  for (const Part& part : kept(parts, step.behavior)) {
    const size_t size = part.span.end - part.span.begin;
    if (size > 0) out.push_back(piece.substr(part.span.begin, size));
  }
  return {};
}

std::vector<PreTokenizer::Part> PreTokenizer::kept(const std::vector<Part>& parts,
                                                   Behavior behavior) {
  std::vector<Part> out;
  if (behavior == Behavior::kMergedWithNext) {  // The same from the other end.
    bool after = false;                         // Whether the one behind it matches.
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      if (part->is_match && !after && !out.empty()) {
        out.back().span.begin = part->span.begin;
      } else {
        out.push_back(*part);
      }
      after = part->is_match;
    }
    std::reverse(out.begin(), out.end());
    return out;
  }
  bool before = false;  // Whether the one before it matches.
  for (const Part& part : parts) {
    const bool joins = behavior == Behavior::kContiguous           ? part.is_match == before
                       : behavior == Behavior::kMergedWithPrevious ? part.is_match && !before
                                                                   : false;
    before = part.is_match;
    if (behavior == Behavior::kRemoved && part.is_match) continue;
    if (joins && !out.empty()) {
      out.back().span.end = part.span.end;
    } else {
      out.push_back(part);
    }
  }
  return out;
}

std::string_view PreTokenizer::own(std::string text) {
  return owned_.emplace_back(std::move(text));
}

}  // namespace muster::engine
