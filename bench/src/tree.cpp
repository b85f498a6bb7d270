// What the tree's operations cost without a wire: reads, writes, transactions and commits that meet others, with 100,
// 10,000 and 100,000 nodes in it. Google Benchmark; all its options work, --benchmark_filter=TEXT for one.
#include <benchmark/benchmark.h>

#include <random>

#include "tree/store.hpp"

namespace {

using namespace vireo::tree;

constexpr Caller caller{};

std::string text_of(int node) { return fmt::format("/bench/{}/{}", node / 100, node); }
Path path_of(const std::string& text) { return *Path::parse(text); }

// As bench_xenstore has it: 100 nodes in a group, values of 8 bytes.
struct Tree {
  explicit Tree(int nodes) {
    for (int i = 0; i < nodes; ++i) check(store.write(caller, nullptr, path_of(text_of(i)), "8 bytes."));
    std::mt19937 dice(1);
    for (int i = 0; i < 10'000; ++i) paths.push_back(text_of(static_cast<int>(dice() % static_cast<unsigned>(nodes))));
  }
  static void check(const Outcome<void>& done) {
    if (!done) throw std::runtime_error("the tree refused");
  }
  Path next() { return path_of(paths[at++ % paths.size()]); }

  Store store;
  std::vector<std::string> paths;
  std::size_t at = 0;
};

void read(benchmark::State& state) {
  Tree tree(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(tree.store.read(caller, nullptr, tree.next()));
}

void write(benchmark::State& state) {
  Tree tree(static_cast<int>(state.range(0)));
  for (auto _ : state) Tree::check(tree.store.write(caller, nullptr, tree.next(), "another."));
}

void create_and_remove(benchmark::State& state) {
  Tree tree(static_cast<int>(state.range(0)));
  for (auto& path : tree.paths) path += "-new";
  for (auto _ : state) {
    const auto path = tree.next();
    Tree::check(tree.store.write(caller, nullptr, path, "another."));
    Tree::check(tree.store.remove(caller, nullptr, path));
    tree.store.tidy(2);
  }
}

void begin_and_abort(benchmark::State& state) {
  Tree tree(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(tree.store.begin(caller));
}

void transaction_of_one_write(benchmark::State& state) {
  Tree tree(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    auto transaction = tree.store.begin(caller);
    Tree::check(tree.store.write(caller, transaction.get(), tree.next(), "another."));
    Tree::check(tree.store.commit(std::move(transaction)));
  }
}

// Somebody else has committed meanwhile, elsewhere: the whole log is gone through once more.
void transaction_beside_another(benchmark::State& state) {
  Tree tree(static_cast<int>(state.range(0)));
  Tree::check(tree.store.write(caller, nullptr, path_of("/elsewhere"), ""));
  for (auto _ : state) {
    auto transaction = tree.store.begin(caller);
    const auto path = tree.next();
    benchmark::DoNotOptimize(tree.store.read(caller, transaction.get(), path));
    Tree::check(tree.store.write(caller, transaction.get(), path, "another."));
    Tree::check(tree.store.write(caller, nullptr, path_of("/elsewhere"), "changed"));
    Tree::check(tree.store.commit(std::move(transaction)));
  }
}

// Its unit is one write.
void transaction_of_5000_writes(benchmark::State& state) {
  Tree tree(static_cast<int>(state.range(0)));
  std::vector<std::string> paths;
  paths.reserve(5'000);
  for (int i = 0; i < 5'000; ++i) paths.push_back(fmt::format("/large/{}/{}", i / 100, i));
  for (auto _ : state) {
    auto transaction = tree.store.begin(caller);
    for (const auto& path : paths) Tree::check(tree.store.write(caller, transaction.get(), path_of(path), "another."));
    Tree::check(tree.store.commit(std::move(transaction)));
    state.PauseTiming();
    Tree::check(tree.store.remove(caller, nullptr, path_of("/large")));
    while (tree.store.tidy(10'000)) {
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * 5'000);
}

BENCHMARK(read)->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK(write)->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK(create_and_remove)->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK(begin_and_abort)->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK(transaction_of_one_write)->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK(transaction_beside_another)->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK(transaction_of_5000_writes)->Arg(100)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
