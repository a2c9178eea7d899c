// Benchmarks of the store and the vote log.
//
// To compare with RocksDB's own on the same machine (package rocksdb-tools; 16-byte keys, 1 KiB
// values; `--sync` for the synced one), in turn with these:
//   db_bench --benchmarks=fillrandom,readrandom --num=200000 --value_size=1024 --db=DIR
//   db_bench --benchmarks=fillrandom --sync=1 --num=5000 --value_size=1024 --db=DIR
// The folder lies under TMPDIR; name one on a real disk, since memory file systems do not sync.
#include <benchmark/benchmark.h>
#include <filesystem>

#include "base/prng.hpp"
#include "rocks/data_folder.hpp"
#include "store/commit.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

constexpr std::size_t value_bytes = 1'024;

/// A data folder that goes away with it.
class Folder {
public:
    explicit Folder(RocksOptions options = {}) {
        std::string name = std::filesystem::temp_directory_path() / "creto-bench-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        options.dir = name;
        auto opened = DataFolder::open(options);
        if (!opened) std::abort();
        data_ = std::move(*opened);
        dir_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        data_ = {};
        std::filesystem::remove_all(dir_);
    }
    RocksStore& store() { return *data_.store; }
    FileVoteLog& votes() { return *data_.votes; }

private:
    DataFolder data_;
    std::string dir_;
};

/// Values of which half compresses away, as db_bench's do.
SharedBytes value(std::uint64_t n) {
    static const std::vector<SharedBytes> values = [] {
        std::vector<SharedBytes> made;
        Prng prng{1};
        for (int i = 0; i < 1'000; ++i) {
            Bytes bytes(value_bytes);
            for (std::size_t j = 0; j < value_bytes / 2; ++j)
                bytes[j] = static_cast<std::uint8_t>(prng.next());
            made.push_back(share(std::move(bytes)));
        }
        return made;
    }();
    return values[n % values.size()];
}
KeyWrite put(std::uint64_t n) {
    Bytes key = keys::number(n);
    key.resize(16);  // As db_bench's keys.
    return {Column::state, std::move(key), value(n)};
}
void must(const Result<void>& done, benchmark::State& state) {
    if (!done) state.SkipWithError(done.error().message.c_str());
}

void put_1k(benchmark::State& state) {
    Folder folder;
    Prng prng{2};
    const auto batch = static_cast<std::uint64_t>(state.range(0));
    std::vector<KeyWrite> writes;
    for (auto _ : state) {
        writes.clear();
        for (std::uint64_t i = 0; i < batch; ++i)
            writes.push_back(put(prng.below(1'000'000)));
        must(folder.store().write(writes, Durable::no), state);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(put_1k)->ArgName("batch")->Arg(1)->Iterations(200'000)->UseRealTime();
BENCHMARK(put_1k)->ArgName("batch")->Arg(100)->Iterations(2'000)->UseRealTime();

void put_1k_synced(benchmark::State& state) {
    Folder folder;
    std::uint64_t n = 0;
    for (auto _ : state) {
        std::vector<KeyWrite> writes;
        for (std::int64_t i = 0; i < state.range(0); ++i)
            writes.push_back(put(n++));
        must(folder.store().write(writes, Durable::yes), state);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(put_1k_synced)
    ->ArgName("group")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->Iterations(500)
    ->UseRealTime();

void get_1k_from_our_cache(benchmark::State& state) {
    Folder folder;
    for (std::uint64_t n = 0; n < 1'000; ++n)
        must(folder.store().write({put(n)}, Durable::no), state);
    std::vector<Bytes> all;
    for (std::uint64_t n = 0; n < 1'000; ++n) {
        all.push_back(put(n).key);
        (void)folder.store().get(Column::state, all.back()).has_value();
    }
    Prng prng{3};
    for (auto _ : state)
        benchmark::DoNotOptimize(folder.store().get(Column::state, all[prng.below(all.size())]));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(get_1k_from_our_cache)->UseRealTime();

/// 200,000 values of 1 KiB in tables, far more than the caches hold; pages may be in the system's.
void get_1k_from_tables(benchmark::State& state) {
    Folder folder;
    constexpr std::uint64_t count = 200'000;
    for (std::uint64_t n = 0; n < count; n += 100) {
        std::vector<KeyWrite> writes;
        for (std::uint64_t i = 0; i < 100; ++i)
            writes.push_back(put(n + i));
        must(folder.store().write(writes, Durable::no), state);
    }
    must(folder.store().flush(), state);
    must(folder.store().compact(Column::state), state);
    Prng prng{4};
    for (auto _ : state) {
        const auto found = folder.store().get(Column::state, put(prng.below(count)).key);
        if (!found || !*found) state.SkipWithError("a value is missing");
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(get_1k_from_tables)->Iterations(200'000)->UseRealTime();

void append_vote(benchmark::State& state) {
    Folder folder;
    const std::vector<Bytes> records(static_cast<std::size_t>(state.range(0)), Bytes(200, 7));
    for (auto _ : state) {
        if (folder.votes().size_bytes() > (std::size_t{64} << 20U))
            must(folder.votes().compact({}), state);
        must(folder.votes().append(records), state);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(append_vote)->ArgName("records")->Arg(1)->Arg(100)->Iterations(500)->UseRealTime();

/// What a node does for one view: a vertex of 16 KiB, a certificate and a vote.
void commit_turn(benchmark::State& state) {
    Folder folder;
    const SharedBytes body = share(Bytes(16 * 1'024, 3));
    std::uint64_t n = 0;
    for (auto _ : state) {
        ++n;
        std::vector<KeyWrite> writes{
            {Column::vertices, keys::number(n), body},
            {Column::certificates, keys::number(n), value(n)}};
        must(
            commit(
                folder.store(),
                folder.votes(),
                {{Ticket{n}, std::move(writes), {Bytes(200, 7)}, Durable::yes}}
            ),
            state
        );
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(commit_turn)->Iterations(500)->UseRealTime();

}  // namespace
}  // namespace creto
