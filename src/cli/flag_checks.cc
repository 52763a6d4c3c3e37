#include "cli/flag_checks.h"

#include "base/address.h"
#include "base/printable.h"
#include "dial/proxy_rules.h"

namespace muster::cli {
namespace {

std::string in_short(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

CLI::Validator number_between(double least, double most) {
  const std::string range = in_short(least) + " to " + in_short(most);
  return {[=](const std::string& text) {
            double value = 0;
            const bool within =
                CLI::detail::lexical_cast(text, value) && value >= least && value <= most;
            return within ? "" : "must be a number, " + range;
          },
          range};
}

CLI::Validator line_of_text(size_t most_bytes) {
  return {[=](const std::string& text) -> std::string {
            if (text.size() > most_bytes) {
              return "must have at most " + std::to_string(most_bytes) + " bytes, not " +
                     std::to_string(text.size());
            }
            const bool plain = printable(text, most_bytes) == text;
            return plain ? "" : "must be one line of text, without control characters";
          },
          ""};
}

CLI::Validator host_with_port() {
  return {[](const std::string& text) -> std::string {
            const auto address = parse_address(text);
            return address ? "" : address.error().message;
          },
          ""};
}

CLI::Validator proxy_or_none() {
  return {[](const std::string& text) -> std::string {
            if (text == dial::kNoProxy || dial::parse_proxy(text, "--proxy")) return "";
            return "must be http://[USER:PASSWORD@]HOST:PORT or none";
          },
          ""};
}

CLI::Validator host_alone() {
  return {[](const std::string& text) -> std::string {
            const auto address = parse_address(text);
            if (!address) return address.error().message;
            return address->port == 0 ? "" : "must be an address without a port";
          },
          ""};
}

}  // namespace muster::cli
