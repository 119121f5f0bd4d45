// SPDX-License-Identifier: Apache-2.0
// A look at a draft from outside of the transaction that relies on it. To look through a content of
// 100,000 characters takes longer than to store it; meanwhile other mail waits, where a store has
// one writer.
#pragma once

#include <functional>

#include "intake/problem.h"
#include "mail/content.h"
#include "mime/message_size.h"
#include "store/deliveries.h"

namespace todoku::intake {

// Adds what is wrong with a draft. Pure: the same draft gives the same problems.
using DraftCheck = std::function<void(const store::Delivery& draft, const mime::MessageSize& size,
                                      Problems& problems)>;

class DraftLook {
 public:
  // Looks at `draft` now, which has its texts and the records of its attachments.
  DraftLook(store::Delivery draft, DraftCheck check);

  // What is wrong with it as it was given.
  [[nodiscard]] const Problems& problems() const { return found_; }
  // What is wrong with the draft as a transaction sees it: what has been found already if it says
  // the same, and otherwise what is found now.
  [[nodiscard]] Problems problems_of(const store::Delivery& draft) const;

 private:
  [[nodiscard]] Problems look(const store::Delivery& draft) const;

  store::Delivery draft_;
  DraftCheck check_;
  Problems found_;
};

// What an update says of a content, but for its files. `Update`: UpdateRequest or
// store::DraftChange, which name these fields alike.
template <class Update>
void apply_fields(const Update& update, Content& content) {
  const auto put = [](const auto& changed, auto& field) {
    if (changed) field = *changed;
  };
  put(update.from, content.from);
  put(update.reply_to, content.reply_to);
  put(update.subject, content.subject);
  put(update.text_part, content.text_part);
  put(update.html_part, content.html_part);
  put(update.list_unsubscribe_mailto, content.list_unsubscribe_mailto);
  put(update.list_unsubscribe_url, content.list_unsubscribe_url);
  put(update.list_unsubscribe_one_click, content.list_unsubscribe_one_click);
  put(update.headers, content.headers);
}

// The draft as the change will leave it.
void apply(const store::DraftChange& change, store::Delivery& draft);

}  // namespace todoku::intake
