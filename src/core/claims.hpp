// Claims: tables of things of which each has one holder at a time, or several that all agree to share it: TCP ports,
// disk images; host devices and label categories find room here. A claim is a value; destroying it gives the thing
// back. Core thread only; a claim may outlive its table.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vireo::core {

enum class Sharing { Alone, WithOthersThatShare };

template <class Key>
class Claims {
  struct Entry {
    Sharing sharing;
    std::vector<std::string> holders;
  };
  using Table = std::map<Key, Entry>;

 public:
  class Claim {
   public:
    Claim(Claim&& other) noexcept = default;
    Claim& operator=(Claim&&) = delete;
    ~Claim() {
      if (!table_) return;  // moved from
      const auto entry = table_->find(key_);
      std::erase_if(entry->second.holders, [this, found = false](const std::string& name) mutable {
        return !found && (found = name == holder_);
      });
      if (entry->second.holders.empty()) table_->erase(entry);
    }
    const Key& key() const { return key_; }

   private:
    friend class Claims;
    Claim(std::shared_ptr<Table> table, Key key, std::string holder)
        : table_(std::move(table)), key_(std::move(key)), holder_(std::move(holder)) {}
    std::shared_ptr<Table> table_;
    Key key_;
    std::string holder_;
  };

  // The error is the name of somebody who has it.
  std::expected<Claim, std::string> claim(const Key& key, const std::string& holder, Sharing sharing = Sharing::Alone) {
    auto [entry, fresh] = table_->try_emplace(key, Entry{.sharing = sharing, .holders = {}});
    const bool both_share = sharing == entry->second.sharing && sharing == Sharing::WithOthersThatShare;
    if (!fresh && !both_share) return std::unexpected(entry->second.holders.front());
    entry->second.holders.push_back(holder);
    return Claim(table_, key, holder);
  }

  // For what a guest holds already, as recorded by an earlier daemon: granted beside whoever else has it, because one
  // of the two may turn out to have ended.
  Claim inherit(const Key& key, const std::string& holder, Sharing sharing = Sharing::Alone) {
    table_->try_emplace(key, Entry{.sharing = sharing, .holders = {}}).first->second.holders.push_back(holder);
    return Claim(table_, key, holder);
  }

  // The first of [first, last] that nobody has and that `usable` accepts.
  template <class Usable>
  std::optional<Claim> claim_any(Key first, Key last, const std::string& holder, Usable&& usable) {
    for (Key key = first; key <= last; ++key)
      if (!table_->contains(key) && usable(key)) return std::move(*claim(key, holder));
    return std::nullopt;
  }

  std::size_t size() const { return table_->size(); }

 private:
  std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

}  // namespace vireo::core
