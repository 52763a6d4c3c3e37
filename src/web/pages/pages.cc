#include "web/pages/pages.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/digest.h"
#include "web/http/json_reply.h"
#include "web/pages/tar.h"

__asm__(
    ".section .rodata\n"
    ".global muster_site_begin\n"
    ".global muster_site_end\n"
    "muster_site_begin:\n.incbin \"" MUSTER_SITE "\"\nmuster_site_end:\n.byte 0\n.previous\n");
extern "C" const char muster_site_begin[];
extern "C" const char muster_site_end[];

namespace muster::web {
namespace {

using Files = std::map<std::string, std::string_view, std::less<>>;

constexpr std::string_view kFolder = "pages/";
constexpr std::string_view kNoPages =
    "<!doctype html><html lang=\"en\"><title>muster</title><p>This program was built without its "
    "pages (./dev site makes them). The API is at <a href=\"/api/v1/pool\">/api/v1</a>.";

const Files& files() {
  static const Files all =
      files_of_tar({muster_site_begin, static_cast<size_t>(muster_site_end - muster_site_begin)});
  return all;
}

const std::string_view* find(const std::string& name) {
  const auto found = files().find(std::string(kFolder) + name);
  return found == files().end() ? nullptr : &found->second;
}

std::string_view type_of(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},   {".svg", "image/svg+xml"},
      {".txt", "text/plain; charset=utf-8"}, {".woff2", "font/woff2"},
      {".json", "application/json"},         {".png", "image/png"}};
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

std::string joined(const std::vector<std::string>& segments) {
  std::string path;
  for (const std::string& segment : segments) path += (path.empty() ? "" : "/") + segment;
  return path;
}

bool fits(std::string_view address, const std::vector<std::string>& segments) {
  const auto wanted = parse_target(address)->segments;
  return wanted.size() == segments.size() &&
         std::equal(wanted.begin(), wanted.end(), segments.begin(),
                    [](const std::string& one, const std::string& there) {
                      return one.starts_with(':') || one == there;
                    });
}

bool leads_somewhere(const std::vector<std::string>& segments) {
  const auto& all = page_addresses();
  return std::any_of(all.begin(), all.end(),
                     [&](std::string_view address) { return fits(address, segments); });
}

// The file itself, or as it was compressed when the site was built.
Reply reply_with(const Request& request, const std::string& name, std::string_view file) {
  Reply reply{.type = std::string(type_of(name)), .fields = {{"Vary", "Accept-Encoding"}}};
  const std::string_view accepted = request.field("accept-encoding");
  for (const auto& [encoding, ending] : {std::pair{"br", ".br"}, std::pair{"gzip", ".gz"}}) {
    const std::string_view* packed = find(name + ending);
    if (packed == nullptr || accepted.find(encoding) == std::string_view::npos) continue;
    reply.fields.emplace_back("Content-Encoding", encoding);
    file = *packed;
    break;
  }
  reply.body = std::make_shared<const std::string>(file);
  return reply;
}

}  // namespace

std::string_view api_description() {
  const auto found = files().find("openapi.json");
  return found == files().end() ? std::string_view("{}") : found->second;
}

Reply page_for(const Request& request) {
  const auto& segments = request.target.segments;
  const std::string path = joined(segments);
  const std::string_view* file = path.empty() ? nullptr : find(path);
  if (file != nullptr && path != "index.html") {
    Reply reply = reply_with(request, path, *file);
    // Its name has a digest of what is in it.
    if (segments.front() == "assets") {
      reply.fields.emplace_back("Cache-Control", "public, max-age=31536000, immutable");
    } else {
      set_tag(request, reply);
    }
    return reply;
  }
  const std::string_view* page = find("index.html");
  Reply reply = page == nullptr ? Reply{.type = "text/html; charset=utf-8",
                                        .body = std::make_shared<const std::string>(kNoPages)}
                                : reply_with(request, "index.html", *page);
  set_tag(request, reply);
  if (!leads_somewhere(segments)) reply.status = 404;
  return reply;
}

const std::vector<std::string_view>& page_addresses() {
  static const std::vector<std::string_view> all{"/",
                                                 "/leaderboard",
                                                 "/models/:organisation/:name",
                                                 "/compare",
                                                 "/jobs",
                                                 "/jobs/:job",
                                                 "/jobs/:job/:run",
                                                 "/jobs/:job/:run/items/:task/:number",
                                                 "/submit",
                                                 "/join",
                                                 "/machines",
                                                 "/machines/mine",
                                                 "/machines/:machine",
                                                 "/account",
                                                 "/account/:tab",
                                                 "/sign-in",
                                                 "/register",
                                                 "/verify",
                                                 "/unsubscribe",
                                                 "/forgot",
                                                 "/reset",
                                                 "/operator",
                                                 "/operator/:tab",
                                                 "/docs",
                                                 "/docs/scores",
                                                 "/docs/lending",
                                                 "/docs/api",
                                                 "/docs/problems",
                                                 "/docs/problems/:slug"};
  return all;
}

}  // namespace muster::web
