// The trie: looking up, and changing with as little copied as can be.
#include "tree/directory.hpp"

#include <functional>
#include <utility>

#include "tree/trie.hpp"

namespace vireo::tree {

namespace {

constexpr int first_shift = 60, bits = 4;
// An inner piece with no more nodes than this becomes a leaf; well below what makes a leaf an inner piece, so that who
// adds and removes one node in turn does not change the shape each time.
constexpr std::size_t few = Leaf::usual / 2;

// Of a name in a listing.
std::uint32_t bytes_of(std::string_view name) { return static_cast<std::uint32_t>(name.size() + 1); }
std::uint64_t hash_of(std::string_view name) { return std::hash<std::string_view>{}(name); }
std::size_t way(std::uint64_t hash, int shift) { return (hash >> shift) & (Inner::ways - 1); }
std::uint16_t tag_of(std::uint64_t hash) { return static_cast<std::uint16_t>(hash); }

Inner& own_inner(Ref<Piece>& at) {
  if (at->shared()) at = Ref<Piece>(new Inner(at.as<Inner>()));
  return at.as<Inner>();
}

Ref<Leaf> copy(const Leaf& leaf, std::size_t capacity) {
  auto out = Leaf::create(capacity);
  for (std::size_t i = 0; i < leaf.size(); ++i) out->append(leaf.tags()[i], leaf.nodes()[i]);
  return out;
}

Leaf& own_leaf(Ref<Piece>& at, std::size_t capacity) {
  if (at->shared() || at.as<Leaf>().capacity() < capacity)
    at = Ref<Piece>(copy(at.as<Leaf>(), std::max(capacity, at.as<Leaf>().capacity())).get());
  return at.as<Leaf>();
}

void collect(const Piece& piece, Leaf& into) {
  if (piece.kind() == Piece::Kind::leaf) {
    const auto& leaf = static_cast<const Leaf&>(piece);
    for (std::size_t i = 0; i < leaf.size(); ++i) into.append(leaf.tags()[i], leaf.nodes()[i]);
    return;
  }
  for (const auto& branch : static_cast<const Inner&>(piece).branches)
    if (branch) collect(*branch, into);
}

void insert_at(Ref<Piece>& at, int shift, std::uint64_t hash, NodeRef node) {
  if (!at) at = Ref<Piece>(Leaf::create(2).get());
  if (at->kind() == Piece::Kind::inner) {
    Inner& inner = own_inner(at);
    ++inner.size;
    inner.names_bytes += bytes_of(node->name());
    insert_at(inner.branches[way(hash, shift)], shift - bits, hash, std::move(node));
    return;
  }
  const auto size = at.as<Leaf>().size();
  if (size >= Leaf::usual && shift >= 0) {
    const Ref<Piece> full = std::exchange(at, Ref<Piece>(new Inner));
    for (const auto& each : full.as<Leaf>().nodes()) insert_at(at, shift, hash_of(each->name()), each);
    insert_at(at, shift, hash, std::move(node));
    return;
  }
  const auto room = at.as<Leaf>().capacity();
  own_leaf(at, size < room ? room : 2 * room).append(tag_of(hash), std::move(node));
}

NodeRef erase_at(Ref<Piece>& at, int shift, std::uint64_t hash, std::string_view name) {
  if (at->kind() == Piece::Kind::leaf) {
    Leaf& leaf = own_leaf(at, 0);
    auto gone = leaf.take(leaf.index_of(tag_of(hash), name));
    if (leaf.size() == 0) at = {};
    return gone;
  }
  Inner& inner = own_inner(at);
  --inner.size;
  inner.names_bytes -= bytes_of(name);
  auto gone = erase_at(inner.branches[way(hash, shift)], shift - bits, hash, name);
  if (inner.size <= few) {
    auto leaf = Leaf::create(Leaf::usual);
    collect(inner, *leaf);
    at = Ref<Piece>(leaf.get());
  }
  return gone;
}

}  // namespace

Ref<Leaf> Leaf::create(std::size_t capacity) {
  void* memory = ::operator new(sizeof(Leaf) + capacity * (sizeof(NodeRef) + sizeof(std::uint16_t)));
  return Ref(::new (memory) Leaf(capacity));
}
Leaf::~Leaf() { std::destroy_n(slots(), size_); }
void Leaf::destroy(const Leaf* leaf) {
  leaf->~Leaf();
  ::operator delete(const_cast<Leaf*>(leaf));
}
void Leaf::append(std::uint16_t tag, NodeRef node) {
  ::new (slots() + size_) NodeRef(std::move(node));
  tag_slots()[size_++] = tag;
}
NodeRef Leaf::take(std::size_t index) {
  NodeRef out = std::move(slots()[index]);
  --size_;
  slots()[index] = std::move(slots()[size_]);
  tag_slots()[index] = tag_slots()[size_];
  std::destroy_at(slots() + size_);
  return out;
}

Directory::Directory(const Directory& other)
    : Piece(Kind::directory), size_(other.size_), names_bytes_(other.names_bytes_), top_(other.top_) {}

const Node* Directory::find(std::string_view name) const {
  const auto hash = hash_of(name);
  const Piece* at = top_.get();
  for (int shift = first_shift; at && at->kind() == Kind::inner; shift -= bits)
    at = static_cast<const Inner*>(at)->branches[way(hash, shift)].get();
  if (!at) return nullptr;
  const auto& leaf = static_cast<const Leaf&>(*at);
  const auto index = leaf.index_of(tag_of(hash), name);
  return index < leaf.size() ? leaf.nodes()[index].get() : nullptr;
}

NodeRef* Directory::slot(std::string_view name) {
  const auto hash = hash_of(name);
  Ref<Piece>* at = &top_;
  for (int shift = first_shift; *at && (*at)->kind() == Kind::inner; shift -= bits)
    at = &own_inner(*at).branches[way(hash, shift)];
  if (!*at) return nullptr;
  const auto index = at->as<Leaf>().index_of(tag_of(hash), name);
  if (index == at->as<Leaf>().size()) return nullptr;
  return &own_leaf(*at, 0).nodes()[index];
}

void Directory::insert(NodeRef node) {
  sorted_.reset();
  const auto hash = hash_of(node->name());
  names_bytes_ += bytes_of(node->name());
  insert_at(top_, first_shift, hash, std::move(node));
  ++size_;
}

NodeRef Directory::erase(std::string_view name) {
  sorted_.reset();
  names_bytes_ -= bytes_of(name);
  --size_;
  return erase_at(top_, first_shift, hash_of(name), name);
}

}  // namespace vireo::tree
