// SPDX-License-Identifier: Apache-2.0
// The content of a delivery is vocabulary that the store shares: see mail/content.h.
#pragma once

#include "mail/content.h"

namespace todoku::mime {

using todoku::Attachment;
using todoku::Content;
using todoku::Encoding;
using todoku::InsertCode;

}  // namespace todoku::mime
