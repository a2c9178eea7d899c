// Random lives of a small network, as far as the state sees them: lanes write to places of all kinds,
// vertices arrive in any order and not everywhere, one lane may fork and one may lie, replicas execute
// different prefixes of the final order, and some start again from a snapshot. Whenever the replicas
// hold the same they must read the same, and what somebody who does not merge reads.
//
// A failure prints CRETO_CONVERGE_SEED, which repeats that life alone. CRETO_CONVERGE_OPS asks for so
// many operations over all parts; a million unless it says otherwise.
#include <cstdlib>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "state/state_fixture.hpp"
#include "state/testing/causal_oracle.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer
using Action = CrdtOperation::Action;

constexpr std::uint32_t lanes = 5;
constexpr std::uint32_t replicas = 3;
constexpr std::uint64_t keys = 4;
constexpr std::uint64_t parts = 16;
/// What is never removed, and so must be the sum of all that was added.
const std::string plain_counter = "causal/plain";

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
    const char* given = std::getenv(name);
    return given == nullptr ? fallback : std::strtoull(given, nullptr, 10);
}

/// One node: it holds a prefix of each lane, and has executed a prefix of the blocks.
struct Replica {
    explicit Replica(const Network& net) : node{net} {}

    Node node;
    bool is_west = false;  ///< On which side of a cut it is; so are lanes 0 and 1.
    std::array<std::size_t, lanes> held{};
    std::size_t executed = 0;
    std::size_t branch = 0;  ///< Which of the forked lane's it was shown.
};

class Life {
public:
    explicit Life(std::uint64_t seed) : prng_{seed}, net_{lanes} {
        for (std::uint32_t i = 0; i < replicas; ++i)
            all_.push_back(std::make_unique<Replica>(net_));
        all_[0]->is_west = true;
        all_[1]->branch = 1;
        liar_ = prng_.chance(1, 2);
        const std::uint64_t rounds = 2 + prng_.below(2);
        for (std::uint64_t round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
            is_cut_ = prng_.chance(1, 2);
            if (fork_at_ == 0 && prng_.chance(1, 4)) fork();
            for (std::uint64_t step = 40 + prng_.below(60); step > 0; --step)
                take_step();
            meet();
        }
    }
    [[nodiscard]] std::uint64_t operations() const { return operations_; }

private:
    static constexpr std::size_t forker = lanes - 1;
    static constexpr std::uint32_t liars_lane = lanes - 2;

    // --- what happens ---

    void take_step() {
        Replica& replica = *all_[prng_.below(replicas)];
        switch (prng_.below(8)) {
            case 0:
            case 1:
            case 2:
                write(replica);
                break;
            case 3:
            case 4:
            case 5:
                if (const std::size_t lane = prng_.below(lanes); reaches(lane, replica))
                    deliver(replica, lane, 1 + prng_.below(4));
                break;
            case 6:
                if (!is_cut_) finalise();
                execute(replica, 1 + prng_.below(3));
                break;
            default:
                if (prng_.chance(1, 8)) start_again(replica);
                break;
        }
    }

    /// The writer names what its replica shows.
    void write(Replica& replica) {
        const auto lane = static_cast<std::uint32_t>(prng_.below(forker));
        if (!reaches(lane, replica)) return;
        // A lane is written at one replica at a time, by whoever holds all of it.
        deliver(replica, lane, lanes_[lane].size());
        std::vector<Operation> operations;
        for (std::uint64_t i = 1 + prng_.below(prng_.chance(1, 4) ? 5 : 150); i > 0; --i)
            operations.push_back(net_.operation(lane, random_write(), Height{2}));
        replica.node.causal.prepare(operations, LaneId{Seat{lane}, {}});
        if (liar_ && lane == liars_lane) {
            for (Operation& operation : operations)
                twist(operation);
        }
        append(lane, std::move(operations));
        deliver(replica, lane, 1);
    }

    void append(std::uint32_t lane, std::vector<Operation> operations) {
        operations_ += operations.size();
        const bool deep =
            liar_ && lane == liars_lane && !lanes_[lane].empty() && prng_.chance(1, 10);
        std::vector<VertexPtr> foreign;
        for (std::uint32_t other = 0; other < forker && !deep; ++other) {
            if (other != lane && !lanes_[other].empty() && prng_.chance(1, 3))
                foreign.push_back(lanes_[other][prng_.below(lanes_[other].size())]);
        }
        const std::uint64_t depth = deep ? prng_.below(1ULL << 40U) + 1 : 0;
        lanes_[lane].push_back(net_.vertex(lane, std::move(operations), foreign, depth));
    }

    static const std::vector<std::vector<std::string>>& paths() {
        static const std::vector<std::vector<std::string>> all{
            {}, {}, {"a"}, {"a", "b"}, {"a", "c"}, {"d", "e", "f"}};
        return all;
    }
    static std::string key_of(std::uint64_t number) { return "causal/" + std::to_string(number); }

    OperationBody random_write() {
        const std::string key = key_of(prng_.below(keys));
        const std::vector<std::string> path = paths()[prng_.below(paths().size())];
        const std::string value = std::to_string(prng_.below(12));
        switch (prng_.below(12)) {
            case 0:
                return count(plain_counter, static_cast<std::int64_t>(prng_.below(100)) - 40);
            case 1:
            case 2:
                return count(key, static_cast<std::int64_t>(prng_.below(100)) - 50, path);
            case 3:
                return causal(Action::counter_clear, key, {}, path);
            case 4:
                return causal(Action::register_clear, key, {}, path);
            case 5:
                return causal(Action::last_set, key, value, path);
            case 6:
                return causal(
                    prng_.chance(1, 4) ? Action::last_clear : Action::last_set, key, {}, path
                );
            case 7:
            case 8:
                return causal(Action::set_add, key, value, path);
            case 9:
                return causal(Action::set_remove, key, value, path);
            case 10:
                return causal(Action::list_append, key, value);
            default:
                return causal(Action::register_set, key, value, path);
        }
    }

    /// What no correct node would say; some of it is malformed, some only a lie.
    void twist(Operation& operation) {
        auto& write = std::get<CrdtOperation>(operation.body);
        if (write.key == plain_counter) return;
        const auto lane = static_cast<std::uint32_t>(prng_.below(lanes));
        Dot made_up{{Seat{lane}, {}}, Sequence{1 + prng_.below(60)}, 0, prng_.next()};
        switch (prng_.below(9)) {
            case 0:
                write.observed = {made_up};
                break;
            case 1:  // Far above any window.
                made_up.sequence = Sequence{made_up.sequence.value() << prng_.below(50)};
                write.observed = {made_up};
                break;
            case 2:  // Something that there is, of whatever place.
                if (lanes_[lane].empty()) return;
                made_up = a_dot(*lanes_[lane][prng_.below(lanes_[lane].size())]);
                write.observed = {made_up};
                break;
            case 3:
                write.share = prng_.next();
                break;
            case 4:
                write.path.assign(limits::path_fields_max + 1, "deep");
                break;
            case 5:
                write.observed.assign(2, made_up);
                break;
            case 6:
                operation.client = net_.agent(0);
                break;
            case 7:
                operation.signature = Signature{};
                break;
            default:
                break;
        }
    }
    Dot a_dot(const SealedVertex& vertex) {
        return {
            vertex.header().lane,
            vertex.header().sequence,
            static_cast<std::uint32_t>(prng_.below(vertex.operations().size())),
            vertex.id().value().prefix()};
    }

    /// The forker's lane splits: two branches, each shown to some.
    void fork() {
        const auto make = [&](std::vector<VertexPtr>& branch, std::uint64_t count) {
            for (; count > 0; --count) {
                std::vector<Operation> operations;
                for (std::uint64_t i = 5 + prng_.below(20); i > 0; --i)
                    operations.push_back(net_.operation(
                        static_cast<std::uint32_t>(forker), random_write(), Height{2}
                    ));
                operations_ += operations.size();
                branch.push_back(
                    net_.vertex(static_cast<std::uint32_t>(forker), std::move(operations))
                );
            }
        };
        std::vector<VertexPtr>& lane = lanes_[forker];
        make(lane, 1 + prng_.below(3));
        const VertexPtr stem = lane.back();
        fork_at_ = lane.size() + 1;
        other_branch_ = lane;
        make(lane, 1 + prng_.below(4));
        net_.rewind(static_cast<std::uint32_t>(forker), stem);
        make(other_branch_, 1 + prng_.below(4));
    }

    // --- who holds what ---

    [[nodiscard]] const std::vector<VertexPtr>& branch(const Replica& replica, std::size_t lane)
        const {
        const bool other = lane == forker && replica.branch == 1 && fork_at_ > 0;
        return other ? other_branch_ : lanes_[lane];
    }

    [[nodiscard]] bool reaches(std::size_t lane, const Replica& replica) const {
        return !is_cut_ || replica.is_west == (lane < 2);
    }

    void deliver(Replica& replica, std::size_t lane, std::size_t count) {
        const std::vector<VertexPtr>& from = branch(replica, lane);
        for (; count > 0 && replica.held[lane] < from.size(); --count)
            replica.node.causal.add(from[replica.held[lane]++]);
    }

    /// A block over what any replica holds; of a forked lane only the first branch.
    void finalise() {
        std::vector<VertexPtr> block;
        for (std::uint64_t turns = prng_.below(12); turns > 0; --turns) {
            const std::size_t lane = prng_.below(lanes);
            std::size_t known = 0;
            for (const auto& replica : all_)
                known = std::max(known, replica->held[lane]);
            const std::size_t end = std::min(known, lanes_[lane].size());
            if (ordered_[lane] < end) block.push_back(lanes_[lane][ordered_[lane]++]);
        }
        blocks_.push_back(std::move(block));
    }

    void execute(Replica& replica, std::size_t count) {
        for (; count > 0 && replica.executed < blocks_.size(); --count) {
            replica.node.finalise(blocks_[replica.executed++]);
            const Digest root = replica.node.state.mark().state_root;
            if (roots_.size() < replica.executed) roots_.push_back(root);
            ASSERT_EQ(root, roots_[replica.executed - 1]) << "height " << replica.executed;
        }
        if (fork_at_ > 0) count_again(replica);
    }

    void start_again(Replica& replica) {
        if (replica.executed == 0) return;
        FinalState& state = replica.node.state;
        auto restored = FinalState::restore(state.snapshot(), state.mark(), net_.roster);
        ASSERT_TRUE(restored.has_value()) << restored.error().message;
        state = std::move(*restored);
        count_again(replica);
    }

    /// The overlay anew, from what is held above the cut; of a forked lane what is below its fork.
    void count_again(Replica& replica) {
        std::vector<VertexPtr> overlay;
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const std::size_t cut =
                replica.node.state.causal_base().cut({Seat{static_cast<std::uint32_t>(lane)}, {}}
                ).value();
            std::size_t end = replica.held[lane];
            if (lane == forker && fork_at_ > 0) end = std::min(end, fork_at_ - 1);
            for (std::size_t i = cut; i < end; ++i)
                overlay.push_back(branch(replica, lane)[i]);
        }
        replica.node.causal.set_overlay(overlay);
    }

    // --- what must hold ---

    /// Everything reaches everybody; then all read the same, though not all executed the same.
    void meet() {
        if (!is_cut_ || prng_.chance(1, 2)) finalise();
        // A fork that is decided differently far is read differently; so it is executed everywhere.
        std::size_t least = 0;
        for (std::size_t i = 0; i < blocks_.size(); ++i) {
            for (const VertexPtr& vertex : blocks_[i]) {
                if (vertex->header().lane.seat.value() == forker) least = i + 1;
            }
        }
        for (const auto& replica : all_) {
            if (replica->executed < least) execute(*replica, least - replica->executed);
            execute(*replica, prng_.below(4));
            for (std::size_t lane = 0; lane < lanes; ++lane)
                deliver(*replica, lane, lanes_[lane].size());
            if (fork_at_ > 0) count_again(*replica);
        }
        std::vector<VertexPtr> counted;
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            std::size_t end = lanes_[lane].size();
            if (lane == forker && fork_at_ > 0) end = std::max(ordered_executed(), fork_at_ - 1);
            counted.insert(
                counted.end(),
                lanes_[lane].begin(),
                lanes_[lane].begin() + static_cast<std::ptrdiff_t>(end)
            );
        }
        const CausalOracle oracle{counted, net_.roster};
        const Digest summary = all_[0]->node.causal.summary();
        for (const auto& replica : all_) {
            ASSERT_EQ(replica->node.causal.summary(), summary);
            compare(replica->node.causal, oracle);
        }
        sum_up(counted, oracle);
    }

    /// How much of the forker's lane every replica has executed.
    [[nodiscard]] std::size_t ordered_executed() const {
        return all_[0]->node.state.causal_base().cut({Seat{forker}, {}}).value();
    }

    void compare(const CausalState& state, const CausalOracle& oracle) {
        std::vector<Place> places{{plain_counter, {}}, {"causal/absent", {}}};
        for (std::uint64_t key = 0; key < keys; ++key) {
            for (const auto& path : paths()) {
                for (std::size_t depth = 0; depth <= path.size(); ++depth)
                    places.push_back(
                        {key_of(key),
                         {path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth)}}
                    );
            }
        }
        for (const Place& place : places)
            ASSERT_EQ(state.read(place), oracle.read(place)) << place_text(place);
    }

    void sum_up(const std::vector<VertexPtr>& counted, const CausalOracle& oracle) {
        std::int64_t sum = 0;
        for (const VertexPtr& vertex : counted) {
            if (vertex->header().lane.seat.value() == forker) continue;
            for (const Operation& operation : vertex->operations()) {
                const auto& write = std::get<CrdtOperation>(operation.body);
                if (write.key == plain_counter) sum += write.amount;
            }
        }
        if (fork_at_ == 0) {
            ASSERT_EQ(oracle.read({plain_counter, {}}).counter.value_or(0), sum);
        }
    }

    Prng prng_;
    Network net_;
    std::vector<std::unique_ptr<Replica>> all_;
    std::array<std::vector<VertexPtr>, lanes> lanes_;
    std::vector<VertexPtr> other_branch_;
    std::size_t fork_at_ = 0;  ///< The sequence from which there are two; 0: none.
    std::array<std::size_t, lanes> ordered_{};
    std::vector<std::vector<VertexPtr>> blocks_;
    std::vector<Digest> roots_;
    bool is_cut_ = false;
    bool liar_ = false;
    std::uint64_t operations_ = 0;
};

class Converge : public ::testing::TestWithParam<std::uint64_t> {};

// [CRDT-CONVERGE.1] [CRDT-SET.1] [CRDT-MAP.1] [CRDT-LIST.1] [CRDT-LAST.1] [CRDT-GONE.1]
TEST_P(Converge, AllReplicasReadTheSame) {
    const std::uint64_t wanted = from_environment("CRETO_CONVERGE_OPS", 1'000'000) / parts;
    if (const std::uint64_t seed = from_environment("CRETO_CONVERGE_SEED", 0); seed > 0) {
        Life{seed};
        return;
    }
    std::uint64_t done = 0;
    std::uint64_t lives = 0;
    while (done < wanted) {
        const std::uint64_t seed = 1 + GetParam() + parts * lives++;
        done += Life{seed}.operations();
        ASSERT_FALSE(HasFailure()) << "CRETO_CONVERGE_SEED=" << seed;
    }
    RecordProperty("operations", std::to_string(done));
    RecordProperty("lives", std::to_string(lives));
}

INSTANTIATE_TEST_SUITE_P(Part, Converge, ::testing::Range<std::uint64_t>(0, parts));

}  // namespace
}  // namespace creto
