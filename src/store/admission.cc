// SPDX-License-Identifier: Apache-2.0
#include "store/admission.h"

namespace todoku::store {

std::string_view Admission::refuse(WritePriority priority, std::size_t queued, std::size_t octets) {
  if (closed_) return "the store is closing";
  if (queued >= limits_.queued_max.at(static_cast<std::size_t>(priority))) {
    return "too much is waiting to be written";
  }
  if (octets_ > 0 && octets > 0 && octets_ + octets > limits_.accept_octets_max) {
    return "too much mail is waiting to be written";
  }
  octets_ += octets;
  return {};
}

std::size_t octets_of(const Accept& accept) {
  const Content& content = accept.delivery.content;
  std::size_t octets = content.subject.size() + content.text_part.size() + content.html_part.size();
  for (const Attachment& attachment : content.attachments) octets += attachment.data.size();
  for (const NewRecipient& recipient : accept.recipients) {
    for (const InsertCode& code : recipient.insert_codes) octets += code.value.size();
  }
  return octets;
}

}  // namespace todoku::store
