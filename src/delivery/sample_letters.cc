// SPDX-License-Identifier: Apache-2.0
#include "delivery/sample_letters.h"

#include <utility>

#include "delivery/letter_material.h"
#include "mail/address.h"
#include "store/personal_data.h"

namespace todoku::delivery {
namespace {

Content texts_of(const Content& content) {
  Content texts;
  texts.from = content.from;
  texts.subject = content.subject;
  texts.text_part = content.text_part;
  texts.html_part = content.html_part;
  texts.text_from_html = content.text_from_html;
  texts.encode = content.encode;
  texts.escape = content.escape;
  texts.from_template = content.from_template;
  return texts;
}

std::string signing_now(KeyRing& keys, store::AccountKey account, const Content& content) {
  const auto from = parse_address(content.from.address);
  return keys.current(account, from ? std::string_view(from->domain) : std::string_view()).pinned;
}

}  // namespace

Task<Result<DrawnLetter>> SampleLetters::letter_of(LetterMaterial material, Instant now) const {
  DrawnLetter drawn;
  drawn.texts = texts_of(material.content.content);
  store::Delivery& its = material.delivery;
  if (!its.started) {
    its.started = now;
    if (its.signing.empty()) its.signing = signing_now(keys_, its.account, drawn.texts);
  }
  const auto keys_known = co_await find_keys(keys_, its);
  if (!keys_known) co_return fail(keys_known.error());
  auto letter =
      make_letter(its, std::move(material.content), material.terms, keys_, options_, store_);
  if (!letter && letter.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::unsupported, "a key that signed it is gone");
  }
  if (!letter) co_return fail(std::move(letter.error()));
  drawn.letter = std::move(*letter);
  drawn.delivery = std::move(its);
  co_return drawn;
}

Task<Result<DrawnLetter>> SampleLetters::draw(store::AccountKey account, store::PublicId delivery,
                                              std::size_t sample_max, Instant now,
                                              DrawnOtherwise otherwise) const {
  auto material = co_await store_.read(
      [account, delivery, is_changed = otherwise.change != nullptr,
       &options = options_](store::ReadTransaction& transaction) -> Result<LetterMaterial> {
        const auto head = transaction.delivery_head(account, delivery);
        if (!head) return fail(head.error());
        auto its = read_material(transaction, head->key, options);
        // What is changed has to be at hand as a whole.
        const bool is_outside = its && is_changed && !its->content.data_outside.empty();
        if (!is_outside || its->content.content.relayed) return its;
        auto whole = transaction.content(head->key);
        if (!whole) return fail(std::move(whole.error()));
        its->content = LetterContent{.content = std::move(*whole), .data_outside = {}};
        return its;
      });
  if (!material) co_return fail(std::move(material.error()));
  Content& content = material->content.content;
  if (content.subject == store::kErasedText && content.text_part == store::kErasedText) {
    co_return fail(ErrorKind::unsupported, "what it was made of is erased (personal data)");
  }
  if (otherwise.change) {
    if (content.relayed) co_return fail(ErrorKind::conflict, "a relayed message is as it came");
    otherwise.change(content, material->delivery.labels);
  }
  auto drawn = co_await letter_of(std::move(*material), now);
  if (!drawn) co_return fail(std::move(drawn.error()));
  // Each a short look of its own.
  auto sample = co_await store_.read(
      [key = drawn->delivery.key, sample_max](store::ReadTransaction& transaction) {
        return transaction.sample_recipients(key, sample_max);
      });
  if (!sample) co_return fail(std::move(sample.error()));
  drawn->sample = std::move(*sample);
  auto stopped = co_await store_.read([account, &drawn](store::ReadTransaction& transaction) {
    return store::stopped_in_sample(transaction, account, drawn->sample, drawn->letter->purpose,
                                    drawn->letter->list_id);
  });
  if (!stopped) co_return fail(std::move(stopped.error()));
  drawn->stopped = std::move(*stopped);
  co_return drawn;
}

Task<Result<DrawnLetter>> SampleLetters::draw_unstored(store::Delivery delivery, Content content,
                                                       Instant now) const {
  LetterMaterial material{.delivery = std::move(delivery),
                          .content = {.content = std::move(content), .data_outside = {}},
                          .account = {}};
  co_return co_await letter_of(std::move(material), now);
}

Task<Result<WholeCopy>> SampleLetters::compose(
    const DrawnLetter& drawn,  // NOLINT(*-reference-coroutine-parameters)
    std::size_t which) const {
  const store::SampledRecipient& recipient = drawn.sample[which];
  const CopyOf copy{
      .key = recipient.key, .address = recipient.address, .insert_codes = recipient.insert_codes};
  co_return co_await whole_copy(drawn.letter, copy, options_);
}

}  // namespace todoku::delivery
