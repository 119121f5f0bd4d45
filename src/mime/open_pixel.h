// SPDX-License-Identifier: Apache-2.0
// The image by whose loading it is told that a mail was opened (docs/adr/0025): what of it is the
// same for all recipients, and where it stands in their HTML. Each copy's own is the last segment
// of its URL.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace todoku::mime {

// Of a URL that ends where a copy's own segment begins.
inline constexpr std::size_t kPixelUrlOctetsMax = 300;
// Of a copy's own segment.
inline constexpr std::size_t kPixelTokenOctetsMax = 64;
// What a pixel adds to a mail at most, encoded however its part is.
inline constexpr std::size_t kPixelOctetsMax = 1'200;

struct PixelMarkup {
  std::string before;  // the segment
  std::string after;
};
[[nodiscard]] PixelMarkup pixel_markup(std::string_view url);

// Before the last end tag of the body that a reader sees as one, else of the document, else at the
// end. No insert key spans that place.
[[nodiscard]] std::size_t pixel_place(std::string_view html);

}  // namespace todoku::mime
