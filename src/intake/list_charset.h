// SPDX-License-Identifier: Apache-2.0
// What a client says of the encoding of its list, held against what its octets are. The octets
// decide: programs name a charset that nobody has chosen. But what was said is not passed over.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "intake/list_encoding.h"
#include "store/imports.h"

namespace todoku::intake {

class ListCharset {
 public:
  // The parameter charset of a Content-Type, in any case of letters; empty: nothing was said.
  void name(std::string_view charset);
  // The next octets of the list.
  void push(std::string_view octets);
  // After all of them: that it is read as something else than it is called, as a sentence of
  // printable ASCII without a full stop; empty: it is not.
  [[nodiscard]] std::string warning(store::ImportForm form);

 private:
  std::string name_;
  ListEncodingGuess guess_;
};

}  // namespace todoku::intake
