// SPDX-License-Identifier: Apache-2.0
// The console's built files, which travel inside the binary (docs/adr/0044). What is in them is
// made by cmake/todoku_console.cmake from console/; who serves them decides on paths, headers and
// encodings.
#pragma once

#include <span>
#include <string_view>

namespace todoku::console {

// One file. All views live as long as the program.
struct Asset {
  std::string_view path;          // as in a URL: "/index.html", "/assets/index-4f1c2a9b.js"
  std::string_view content_type;  // with its charset where it is text
  std::string_view octets;
  std::string_view gzip;   // the same in gzip; empty where that would not be smaller
  bool immutable = false;  // its name has its digest: it may be kept for a year
};

// Sorted by path, "/index.html" among them. Empty in a build with TODOKU_CONSOLE=OFF.
std::span<const Asset> embedded_assets();

}  // namespace todoku::console
