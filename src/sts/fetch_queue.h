// SPDX-License-Identifier: Apache-2.0
// Whose policy is fetched next: those of one registered domain, "example.co.jp", have few of the
// places, and take turns with the others. So whoever lets fetches hang, under however many names
// below his own, holds up himself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

namespace todoku::sts {

class FetchQueue {
 public:
  FetchQueue(std::size_t places, std::size_t places_of_one)
      : places_(places), places_of_one_(places_of_one) {}

  // `domain`: A-labels in lower case, which does not wait yet.
  void add(const std::string& domain);
  // It waits no longer; nothing where it does not.
  void remove(const std::string& domain);
  // Takes a place, which done() gives back. nullopt: nobody waits who may have one.
  [[nodiscard]] std::optional<std::string> next();
  // Of a domain that next() gave.
  void done(const std::string& domain);

  [[nodiscard]] std::size_t waiting() const { return arrivals_.size(); }

 private:
  struct Group {
    std::map<std::uint64_t, std::string> waiting;  // by arrival
    std::size_t under_way = 0;
  };
  using Groups = std::map<std::string, Group>;

  // None stays that has nobody.
  void forget_if_empty(Groups::iterator group);

  const std::size_t places_;
  const std::size_t places_of_one_;
  std::unordered_map<std::string, std::uint64_t> arrivals_;  // of who waits
  Groups groups_;                                            // by registered domain
  std::string last_;                                         // the group that had its turn
  std::uint64_t arrived_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace todoku::sts
