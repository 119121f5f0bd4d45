// SPDX-License-Identifier: Apache-2.0
#include "console/pages.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "api/answers.h"
#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::console {
namespace {

constexpr std::string_view kIndex = "/index.html";

// Of a build without the console's pages: what to do about that.
constexpr std::string_view kNoPages = R"(<!doctype html>
<html lang="{}"><meta charset="utf-8"><title>todoku</title>
<h1>todoku</h1>
<p>{}</p>
</html>
)";
constexpr Sentence kNoPagesText{
    "This build of todoku has no console in it. Build it with TODOKU_CONSOLE=ON, which needs "
    "Node.js, or install a release, which has it.",
    "このビルドには管理画面が含まれていません。Node.jsを用意してTODOKU_CONSOLE=ONでビルドするか、"
    "管理画面を含むリリースをインストールしてください。"};

const Asset* find(std::span<const Asset> assets, std::string_view path) {
  const auto found = std::ranges::lower_bound(assets, path, {}, &Asset::path);
  return found != assets.end() && found->path == path ? &*found : nullptr;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder);
}

http::Response no_pages(Language language) {
  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = fmt::format(kNoPages, language == Language::japanese ? "ja" : "en",
                              kNoPagesText.in(language));
  return response;
}

// Of its octets, so that a page that is asked for again is not sent again; where they are in the
// name, that says it.
std::string tag_of(const Asset& asset) {
  constexpr std::size_t kTagDigits = 16;
  if (asset.immutable) return fmt::format("\"{}\"", asset.path);
  return fmt::format("\"{}\"", sha256_hex(asset.octets).substr(0, kTagDigits));
}

http::Response file(const Asset& asset, const http::Request& request) {
  http::Response response;
  const std::string tag = tag_of(asset);
  response.headers.set("ETag", tag);
  response.headers.set("Vary", "Accept-Encoding");
  response.headers.set("Cache-Control",
                       asset.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (trim(request.headers.get("If-None-Match")) == tag) {
    response.status = 304;
    return response;
  }
  response.content_type = asset.content_type;
  const bool is_packed = !asset.gzip.empty() && takes_gzip(request.headers.get("Accept-Encoding"));
  if (is_packed) response.headers.set("Content-Encoding", "gzip");
  response.body = is_packed ? asset.gzip : asset.octets;
  return response;
}

}  // namespace

bool takes_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const std::size_t end = accept_encoding.find(',');
    const std::string item = to_ascii_lower(trim(accept_encoding.substr(0, end)));
    accept_encoding =
        end == std::string_view::npos ? std::string_view() : accept_encoding.substr(end + 1);
    const std::size_t weight = item.find(';');
    if (trim(std::string_view(item).substr(0, weight)) != "gzip") continue;
    if (weight == std::string::npos) return true;
    const std::string_view quality = trim(std::string_view(item).substr(weight + 1));
    return quality.starts_with("q=") && quality.find_first_of("123456789") != std::string::npos;
  }
  return false;
}

http::Response page_at(std::span<const Asset> assets, const http::Request& request,
                       Language language) {
  const Asset* const asset = find(assets, request.path);
  if (asset != nullptr) return file(*asset, request);
  for (const std::string_view folder : {"/api/", "/console/v1/", "/assets/"}) {
    if (!is_below(request.path, folder)) continue;
    return api::container_failure({404, "there is nothing at this path"}, request);
  }
  const Asset* const index = find(assets, kIndex);
  return index == nullptr ? no_pages(language) : file(*index, request);
}

}  // namespace todoku::console
