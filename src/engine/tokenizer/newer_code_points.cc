#include "engine/tokenizer/newer_code_points.h"

#include <utf8proc.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iterator>
#include <map>

namespace muster::engine {
namespace {

struct CodePoints {
  uint32_t first, last;
  const char* category;
};

constexpr CodePoints kNewer[] = {
#include "engine/tokenizer/newer_code_points.inc"
};
// Was a mark without a place of its own in Unicode 14 and has one now; else no category changed.
constexpr char kNoLongerMn[] = "\\x{1171e}";

// The ranges of some general categories as they stand between brackets. "L" are all that begin so.
std::string ranges_of(const std::vector<std::string>& categories) {
  std::string ranges;
  for (const CodePoints& newer : kNewer) {
    const bool in = std::any_of(categories.begin(), categories.end(), [&](const std::string& c) {
      return std::string_view(newer.category).starts_with(c);
    });
    if (!in) continue;
    char text[32];
    std::snprintf(text, sizeof text, "\\x{%x}-\\x{%x}", newer.first, newer.last);
    ranges += text;
  }
  return ranges;
}

// Oniguruma does not mind how a property is spelt: "Uppercase_Letter", "uppercase letter".
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

// General categories by all their names.
const std::map<std::string, std::vector<std::string>>& categories_by_name() {
  static const std::map<std::string, std::vector<std::string>> names = {
      {"l", {"L"}},
      {"letter", {"L"}},
      {"lc", {"Lu", "Ll", "Lt"}},
      {"lu", {"Lu"}},
      {"uppercaseletter", {"Lu"}},
      {"ll", {"Ll"}},
      {"lowercaseletter", {"Ll"}},
      {"lt", {"Lt"}},
      {"titlecaseletter", {"Lt"}},
      {"lm", {"Lm"}},
      {"modifierletter", {"Lm"}},
      {"lo", {"Lo"}},
      {"otherletter", {"Lo"}},
      {"m", {"M"}},
      {"mark", {"M"}},
      {"mn", {"Mn"}},
      {"nonspacingmark", {"Mn"}},
      {"mc", {"Mc"}},
      {"spacingmark", {"Mc"}},
      {"me", {"Me"}},
      {"enclosingmark", {"Me"}},
      {"n", {"N"}},
      {"number", {"N"}},
      {"nd", {"Nd"}},
      {"decimalnumber", {"Nd"}},
      {"nl", {"Nl"}},
      {"letternumber", {"Nl"}},
      {"no", {"No"}},
      {"othernumber", {"No"}},
      {"p", {"P"}},
      {"punctuation", {"P"}},
      {"pc", {"Pc"}},
      {"connectorpunctuation", {"Pc"}},
      {"pd", {"Pd"}},
      {"dashpunctuation", {"Pd"}},
      {"ps", {"Ps"}},
      {"openpunctuation", {"Ps"}},
      {"pe", {"Pe"}},
      {"closepunctuation", {"Pe"}},
      {"pi", {"Pi"}},
      {"initialpunctuation", {"Pi"}},
      {"pf", {"Pf"}},
      {"finalpunctuation", {"Pf"}},
      {"po", {"Po"}},
      {"otherpunctuation", {"Po"}},
      {"s", {"S"}},
      {"symbol", {"S"}},
      {"sm", {"Sm"}},
      {"mathsymbol", {"Sm"}},
      {"sc", {"Sc"}},
      {"currencysymbol", {"Sc"}},
      {"sk", {"Sk"}},
      {"modifiersymbol", {"Sk"}},
      {"so", {"So"}},
      {"othersymbol", {"So"}},
      {"z", {"Z"}},
      {"separator", {"Z"}},
      {"zs", {"Zs"}},
      {"spaceseparator", {"Zs"}},
      {"zl", {"Zl"}},
      {"lineseparator", {"Zl"}},
      {"zp", {"Zp"}},
      {"paragraphseparator", {"Zp"}},
      {"cf", {"Cf"}},
      {"format", {"Cf"}},
      {"cc", {}},
      {"control", {}},
      {"co", {}},
      {"privateuse", {}},
  };
  return names;
}

// One class, with what came later: it may stand within brackets and without.
std::string widened(const std::string& known, bool negated,
                    const std::vector<std::string>& categories) {
  const std::string all = known + ranges_of(categories);
  const bool is_mn = categories == std::vector<std::string>{"Mn"};
  const std::string current = is_mn ? "[" + all + "]&&[^" + kNoLongerMn + "]" : all;
  return (negated ? "[^" : "[") + current + "]";
}

// Reads a pattern from left to right; everything it does not know stays as it is.
class Rewriter {
 public:
  explicit Rewriter(std::string_view pattern) : pattern_(pattern), rest_(pattern) {}

  Result<RewrittenPattern> run() {
    while (!rest_.empty()) {
      if (const size_t bytes = posix_bracket(); bytes > 0) {
        return fail(Code::kUnsupported, "a POSIX bracket, " + std::string(rest_.substr(0, bytes)) +
                                            ", is not implemented");
      }
      // Letter case: that of later letters is not known here. The others leave a class to ASCII.
      if (rest_.starts_with("(?") && has_one_of("iWDP")) out_.is_exact = false;
      if (rest_[0] != '\\' || rest_.size() < 2) {
        keep(1);
        continue;
      }
      MUSTER_TRY_STATUS(escape());
    }
    // For older characters alone it stays as it is: under (?i) a class in brackets takes the other
    // case of a letter along, and one without does not.
    if (!out_.is_exact) out_.text = pattern_;
    return std::move(out_);
  }

 private:
  void keep(size_t bytes) {
    out_.text += rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
  }
  void replace(size_t bytes, const std::string& by) {
    out_.text += by;
    rest_.remove_prefix(bytes);
  }
  // How long the "[:alpha:]" is that begins here; 0: none does. The two versions differ on them.
  [[nodiscard]] size_t posix_bracket() const {
    if (!rest_.starts_with("[:")) return 0;
    const size_t end = rest_.find_first_not_of("^abcdefghijklmnopqrstuvwxyz", 2);
    return end != std::string_view::npos && rest_.substr(end).starts_with(":]") ? end + 2 : 0;
  }
  [[nodiscard]] bool has_one_of(const char* wanted) const {
    const std::string_view options = rest_.substr(2, rest_.find_first_of(":)", 2) - 2);
    return options.find_first_not_of("imxWDSPLCIy{gw}-") == std::string_view::npos &&
           options.find_first_of(wanted) != std::string_view::npos;
  }
  Status escape() {
    static const std::vector<std::string> kWord = {"L", "M", "Nd", "Pc"}, kDigit = {"Nd"};
    switch (rest_[1]) {
      case 'p':
      case 'P':
        return property();
      case 'w':
      case 'W':
        replace(2, widened("\\w", rest_[1] == 'W', kWord));
        return {};
      case 'd':
      case 'D':
        replace(2, widened("\\d", rest_[1] == 'D', kDigit));
        return {};
      case 'c':  // "\c\p", "\C-\w", "\M-\d": what follows is a character's name.
      case 'C':
      case 'M':
      case 'b':
      case 'B':
        out_.is_exact = false;
        keep(2);
        return {};
      case 'X':
      case 'y':
      case 'Y':
        return fail(Code::kUnsupported,
                    "\\" + std::string(1, rest_[1]) + " in a pattern is not implemented");
      default:
        keep(2);
        return {};
    }
  }
  // \p{L}, \P{L}, \p{^L}.
  Status property() {
    const size_t end = rest_.find('}');
    if (rest_.size() < 3 || rest_[2] != '{' || end == std::string_view::npos) {
      keep(2);  // Whatever it is, Oniguruma says so.
      return {};
    }
    std::string_view name = rest_.substr(3, end - 3);
    const bool caret = name.starts_with('^');
    if (caret) name.remove_prefix(1);
    const auto known = categories_by_name().find(plain(name));
    if (known == categories_by_name().end()) {
      out_.is_exact = false;
      keep(end + 1);
      return {};
    }
    const bool negated = caret != (rest_[1] == 'P');
    replace(end + 1, widened("\\p{" + std::string(name) + "}", negated, known->second));
    return {};
  }

  std::string_view pattern_, rest_;
  RewrittenPattern out_;
};

}  // namespace

Result<RewrittenPattern> with_newer_code_points(std::string_view pattern) {
  return Rewriter(pattern).run();
}

bool has_newer_code_points(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t read = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(bytes, left, &read);
    if (used <= 0) return false;
    const auto code_point = static_cast<uint32_t>(read);
    const auto* next =
        std::upper_bound(std::begin(kNewer), std::end(kNewer), code_point,
                         [](uint32_t c, const CodePoints& newer) { return c < newer.first; });
    if (next != std::begin(kNewer) && code_point <= std::prev(next)->last) return true;
    bytes += used;
    left -= used;
  }
  return false;
}

}  // namespace muster::engine
