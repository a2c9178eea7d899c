#include "scale/bench/micro.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <vector>

#include "base/prng.hpp"
#include "crypto/digest.hpp"
#include "crypto/signature.hpp"
#include "dag/dag.hpp"
#include "model/checks.hpp"
#include "rocks/rocks_store.hpp"

namespace creto {
namespace {

using Clock = std::chrono::steady_clock;

volatile std::uint8_t sink;  ///< So that nothing measured is left out.

/// The object is made, whatever the optimiser thinks of it.
template <class T>
void keep_whole(const T& object) {
    __asm__ volatile("" : : "g"(&object) : "memory");
}

void keep(const Digest& digest) {
    sink = digest.bytes()[0];
}

/// Nanoseconds of one call: the median of the batches.
template <class Work>
double median_ns(std::size_t calls, const Work& work) {
    constexpr std::size_t batches = 15;
    std::vector<double> all;
    for (std::size_t batch = 0; batch < batches; ++batch) {
        const auto begin = Clock::now();
        for (std::size_t i = 0; i < calls; ++i)
            work(i);
        const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
        all.push_back(took.count() / static_cast<double>(calls));
    }
    std::nth_element(all.begin(), all.begin() + batches / 2, all.end());
    return all[batches / 2];
}

KeySeed seed_of(std::uint8_t number) {
    std::array<std::uint8_t, 32> bytes{};
    bytes[0] = number;
    bytes[1] = 1;
    return KeySeed{bytes};
}

PerformanceMetrics vertices() {
    Ed25519Scheme scheme;
    const auto signer = scheme.signer(seed_of(1));
    const ChainId chain{};
    const LaneId lane{Seat{1}, Incarnation{0}};
    const auto fill = [&](std::size_t i) {
        VertexHeader header;
        header.lane = lane;
        header.sequence = Sequence{i + 1};
        header.operation_count = 1;
        header.operation_bytes = 100;
        return header;
    };
    PerformanceMetrics out;
    out.set("vertex_struct_ns", median_ns(20'000, [&](std::size_t i) {
                const VertexHeader header = fill(i);
                keep_whole(header);
            }));
    const double id_ns = median_ns(5'000, [&](std::size_t i) { keep(fill(i).id().value()); });
    const Bytes signing = signing_bytes(fill(1));
    const double hash_ns = median_ns(5'000, [&](std::size_t) { keep(blake3(signing)); });
    out.set("vertex_id_ns", id_ns);
    out.set("vertex_id_over_hash_ns", std::max(0.0, id_ns - hash_ns));
    const double sign_ns = median_ns(200, [&](std::size_t) {
        sink = signer->sign(SignDomain::vertex, chain.value(), signing).bytes()[0];
    });
    const double signed_ns = median_ns(200, [&](std::size_t i) {
        const VertexHeader header = fill(i);
        keep(header.id().value());
        sink = signer->sign(SignDomain::vertex, chain.value(), signing_bytes(header)).bytes()[0];
    });
    out.set("vertex_signed_over_parts_ns", std::max(0.0, signed_ns - hash_ns - sign_ns));
    return out;
}

/// Ten lanes that write in turns, each vertex after the latest of another lane.
class LaneWork {
public:
    explicit LaneWork(std::size_t count) {
        Genesis genesis;
        genesis.network = "micro";
        genesis.mode = QuorumMode::crash;
        for (std::uint32_t i = 0; i < lanes; ++i) {
            signers_.push_back(scheme_.signer(seed_of(static_cast<std::uint8_t>(i))));
            genesis.members.push_back(
                {Seat{i}, signers_.back()->public_key(), "seat-" + std::to_string(i)}
            );
        }
        roster.emplace(genesis);
        std::vector<VertexPtr> tips(lanes);
        for (std::size_t i = 0; i < count; ++i) {
            const auto seat = static_cast<std::uint32_t>(i % lanes);
            VertexHeader header;
            header.lane = {Seat{seat}, Incarnation{0}};
            const VertexPtr& own = tips[seat];
            const VertexPtr& other = tips[(seat + lanes - 1) % lanes];
            header.sequence = own ? own->header().sequence.next() : Sequence{1};
            std::uint64_t depth = 0;
            for (const VertexPtr* parent : {&own, &other}) {
                if (!*parent) continue;
                header.parents.push_back((*parent)->ref());
                depth = std::max(depth, (*parent)->header().depth);
            }
            header.depth = depth + 1;
            tips[seat] = SealedVertex::make(header, {}, roster->chain(), *signers_[seat]);
            ready.emplace_back(tips[seat], CheckPass::own());
        }
    }

    static constexpr std::uint32_t lanes = 10;
    std::optional<Roster> roster;
    std::vector<Checked<VertexPtr>> ready;

private:
    TagScheme scheme_;
    std::vector<std::unique_ptr<Signer>> signers_;
};

PerformanceMetrics graph() {
    const auto add_ns = [](const LaneWork& lanes) {
        return median_ns(
                   20,
                   [&](std::size_t) {
                       Dag dag{*lanes.roster};
                       for (const auto& vertex : lanes.ready)
                           sink = dag.add(vertex) ? 1 : 0;
                   }
               ) /
               static_cast<double>(lanes.ready.size());
    };
    const LaneWork few{100};
    const LaneWork many{1'000};
    PerformanceMetrics out;
    const double few_ns = add_ns(few);
    const double many_ns = add_ns(many);
    out.set("graph_add_ns", many_ns);
    out.set("graph_linear", many_ns / std::max(1.0, few_ns));
    Dag dag{*many.roster};
    for (const auto& vertex : many.ready)
        sink = dag.add(vertex) ? 1 : 0;
    out.set("graph_get_ns", median_ns(20'000, [&](std::size_t i) {
                sink = dag.find((*many.ready[i % many.ready.size()])->id()) == nullptr ? 0 : 1;
            }));
    return out;
}

PerformanceMetrics hashing() {
    PerformanceMetrics out;
    struct Size {
        const char* metric;
        std::size_t bytes;
    };
    for (const Size size :
         {Size{"hash_100b_ns", 100}, Size{"hash_1kb_ns", 1'024}, Size{"hash_10kb_ns", 10'240}}) {
        const Bytes content(size.bytes, 7);
        out.set(size.metric, median_ns(5'000, [&](std::size_t) { keep(blake3(content)); }));
    }
    return out;
}

Result<PerformanceMetrics> storage() {
    constexpr std::size_t values = 20'000;
    std::string name = (std::filesystem::temp_directory_path() / "creto-micro-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        return fail(ErrorCode::io, "no folder for a store under " + name);
    RocksOptions options;
    options.dir = name;
    PerformanceMetrics out;
    Prng prng{1};
    Bytes content(1'024);
    for (std::uint8_t& byte : content)
        byte = static_cast<std::uint8_t>(prng.next());
    const SharedBytes value = share(std::move(content));
    const auto key = [](std::uint64_t n) {
        Bytes bytes(16);
        for (std::size_t i = 0; i < 8; ++i)
            bytes[i] = static_cast<std::uint8_t>(mix64(n) >> (8 * i));
        return bytes;
    };
    const auto measured = [&]() -> Result<void> {
        std::uint64_t next = 0;
        bool is_good = true;
        {
            auto store = RocksStore::open(options);
            if (!store) return tl::unexpected<Error>(store.error());
            out.set("storage_put_us", median_ns(values / 15, [&](std::size_t) {
                                          is_good = is_good &&
                                                    (*store)
                                                        ->write(
                                                            {{Column::state, key(next++), value}},
                                                            Durable::no
                                                        )
                                                        .has_value();
                                      }) / 1'000);
            const Bytes hot = key(1);
            out.set("storage_cached_get_ns", median_ns(5'000, [&](std::size_t) {
                        is_good = is_good && (*store)->get(Column::state, hot).has_value();
                    }));
            if (auto flushed = (*store)->flush(); !flushed) return flushed;
        }
        auto again = RocksStore::open(options);
        if (!again) return tl::unexpected<Error>(again.error());
        std::uint64_t read = 0;
        out.set("storage_cold_get_us", median_ns(values / 30, [&](std::size_t) {
                                           is_good =
                                               is_good && (*again)
                                                              ->get(Column::state, key(read++))
                                                              .has_value();
                                       }) / 1'000);
        if (!is_good) return fail(ErrorCode::io, "a read or write of the store failed");
        return {};
    }();
    std::filesystem::remove_all(name);
    if (!measured) return tl::unexpected<Error>(measured.error());
    return out;
}

}  // namespace

Result<PerformanceMetrics> run_micro(const std::string& suite) {
    if (suite == "vertex") return vertices();
    if (suite == "graph") return graph();
    if (suite == "hashing") return hashing();
    if (suite == "storage") return storage();
    return fail(ErrorCode::invalid, "no microbenchmark \"" + suite + "\"");
}

}  // namespace creto
