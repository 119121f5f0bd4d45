// SPDX-License-Identifier: Apache-2.0
// The rules of what may come in. Pure: a request and the limits in, its problems out. All problems
// are found, not only the first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/request.h"
#include "store/types.h"

namespace todoku::intake {

using Path = std::vector<std::string>;

void check_content(const Content& content, const Limits& limits, Problems& problems);
void check_attachments(const std::vector<Attachment>& attachments, const Limits& limits,
                       Problems& problems);
void check_update(const UpdateRequest& update, const Limits& limits, Problems& problems);
void check_insert_codes(const std::vector<InsertCode>& codes, const Path& path,
                        const Limits& limits, Problems& problems);

// Checks one recipient; problems are reported at `path`/email and `path`/insert_code. The result is
// only meaningful if no problem was added.
store::NewRecipient check_recipient(const RecipientRequest& recipient, const Path& path,
                                    const Limits& limits, Problems& problems);

// to, cc and bcc of a transaction as recipients, without doubles (the same address given twice is
// one recipient).
std::vector<store::NewRecipient> check_transaction(const TransactionRequest& request,
                                                   const Limits& limits, Problems& problems);

}  // namespace todoku::intake
