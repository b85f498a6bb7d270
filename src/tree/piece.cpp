// How pieces end: each as what it is, with what it held put in line behind it.
#include "tree/piece.hpp"

#include "tree/directory.hpp"
#include "tree/node.hpp"
#include "tree/trie.hpp"

namespace vireo::tree {

Limbo& Limbo::of_this_thread() {
  static thread_local Limbo limbo;
  return limbo;
}

bool Limbo::release(std::size_t pieces) {
  for (; pieces > 0 && !waiting_.empty(); --pieces) {
    const Piece* piece = waiting_.back();
    waiting_.pop_back();
    switch (piece->kind()) {
      case Piece::Kind::node:
        Node::destroy(static_cast<const Node*>(piece));
        break;
      case Piece::Kind::directory:
        delete static_cast<const Directory*>(piece);
        break;
      case Piece::Kind::inner:
        delete static_cast<const Inner*>(piece);
        break;
      case Piece::Kind::leaf:
        Leaf::destroy(static_cast<const Leaf*>(piece));
        break;
      case Piece::Kind::permissions:
        delete static_cast<const SharedPermissions*>(piece);
        break;
    }
  }
  return !waiting_.empty();
}

Limbo::~Limbo() {
  while (release(1'000)) {
  }
}

}  // namespace vireo::tree
