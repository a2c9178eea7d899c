#include <gtest/gtest.h>

#include "node/checkpoint/fetch.hpp"
#include "node/checkpoint/giver.hpp"
#include "node/checkpoint/pruner.hpp"
#include "node/checkpoint/shelf.hpp"
#include "order/keys.hpp"
#include "state/state_fixture.hpp"
#include "store/keys.hpp"
#include "store/memory_store.hpp"

namespace creto {
namespace {

constexpr std::uint32_t span = 8;

Genesis genesis_of(std::uint32_t checkpoint_blocks) {
    const state_test::Network network{4};
    Genesis genesis;
    genesis.network = "checkpoints";
    genesis.checkpoint_blocks = checkpoint_blocks;
    for (std::uint32_t i = 0; i < 4; ++i)
        genesis.members.push_back({Seat{i}, network.agent(i), "n" + std::to_string(i)});
    return genesis;
}

AgentId holder(std::uint8_t number) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(number);
    return AgentId{bytes};
}

template <class T>
std::vector<T> sent(const std::vector<Effect>& effects) {
    std::vector<T> out;
    for (const Effect& effect : effects) {
        const auto* send = std::get_if<Send>(&effect);
        if (send == nullptr) continue;
        if (const auto* said = std::get_if<T>(&*send->message.decoded())) out.push_back(*said);
    }
    return out;
}

/// A store that carries out what effects say, and a chain of empty blocks with its state.
class Checkpoints : public ::testing::Test {
protected:
    Checkpoints() { final_.emplace(roster_); }

    /// Executes the next block; gives its height.
    Height grow(CheckpointShelf& shelf, std::size_t bytes = 100) {
        Block block;
        block.epoch = Epoch{1};
        block.height = final_->height().next();
        block.view = View{block.height.value()};
        block.parent_view = block.view.prev();
        block.parent = last_;
        block.cut_root = Cut{}.root();
        block.executed = final_->mark();
        last_ = block.id();
        final_->apply(block, last_, {});
        simplex::StoredBlock stored{block, std::nullopt, block.height};
        if (block.height.value() % 5 == 0) stored.finalization.emplace();
        write({simplex::write_final(stored)});
        shelf.executed(bytes);
        if (shelf.is_due(block.height)) {
            const Bytes state = final_->snapshot();
            shelf.put(
                CheckpointShelf::describe(block, {}, {}, final_->mark(), state), state, 77, effects_
            );
        }
        carry_out();
        return block.height;
    }
    void grow_to(CheckpointShelf& shelf, std::uint64_t height, std::size_t bytes = 100) {
        while (final_->height() < Height{height})
            grow(shelf, bytes);
    }
    void write(const std::vector<KeyWrite>& writes) {
        ASSERT_TRUE(store_.write(writes, Durable::yes).has_value());
    }
    /// Writes and reads; gives the answers, and what was sent.
    std::vector<Loaded> carry_out() {
        std::vector<Loaded> answers;
        for (Effect& effect : effects_.take()) {
            if (auto* persist = std::get_if<Persist>(&effect)) write(persist->writes);
            if (auto* load = std::get_if<Load>(&effect)) {
                Loaded loaded{load->ticket, {}};
                for (const Bytes& key : load->keys)
                    loaded.values.push_back(store_.get(load->column, key).value());
                answers.push_back(std::move(loaded));
            }
            if (auto* scan = std::get_if<Scan>(&effect)) {
                Loaded loaded{scan->ticket, {}};
                EXPECT_TRUE(
                    store_
                        .scan(
                            scan->column,
                            scan->from,
                            scan->to,
                            [&](ByteView key, ByteView value) {
                                loaded.keys.emplace_back(key.begin(), key.end());
                                loaded.values.emplace_back(Bytes{value.begin(), value.end()});
                                return loaded.keys.size() < scan->count;
                            }
                        )
                        .has_value()
                );
                answers.push_back(std::move(loaded));
            }
            if (std::holds_alternative<Send>(effect)) said_.push_back(std::move(effect));
        }
        return answers;
    }
    Height restored(CheckpointShelf& shelf) {
        auto found = shelf.restore(store_, log_);
        EXPECT_TRUE(found.has_value()) << found.error().message;
        if (!found || !*found) return Height{};
        EXPECT_EQ((*found)->state.height(), (*found)->checkpoint.height());
        return (*found)->checkpoint.height();
    }

    /// Of an ordering that has nothing in memory.
    struct NoLanes final : CutSource {
        Check check(const Cut&, const std::vector<LaneRange>&, Height) override { return {}; }
        std::vector<LaneRange> build(const Cut&, Height) override { return {}; }
        bool has_unordered(const Cut&, Height) const override { return false; }
    };

    Roster roster_{genesis_of(span)};
    NoLanes lanes_;
    TagScheme scheme_;
    std::unique_ptr<Signer> signer_ = scheme_.signer(KeySeed{});
    MemoryStore store_;
    SilentLog log_;
    Effects effects_;
    std::vector<Effect> said_;
    std::optional<FinalState> final_;
    BlockId last_ = genesis_block_id(roster_.chain());
    Ordering silent_{roster_, std::nullopt, *signer_, lanes_, {}, log_};
};

TEST_F(Checkpoints, AreMadeWhereTheGenesisSaysAndReadBack) {
    CheckpointShelf shelf{roster_, {.state_share = 0}};
    grow_to(shelf, span - 1);
    EXPECT_EQ(shelf.newest(), nullptr);
    grow_to(shelf, 3 * span + 3);
    ASSERT_NE(shelf.newest(), nullptr);
    EXPECT_EQ(shelf.newest()->height(), Height{3 * span});
    EXPECT_TRUE(shelf.has_parts(Height{2 * span}));
    EXPECT_FALSE(shelf.has_parts(Height{span}));
    CheckpointShelf again{roster_, {}};
    EXPECT_EQ(restored(again), Height{3 * span});
    EXPECT_EQ(again.own_counter(), 77U);
    EXPECT_EQ(again.kept_from(), Height{1});
    // Two heads, their parts, and nothing else.
    EXPECT_EQ(store_.key_count(Column::state), 4U);
}

// A state that is large beside what happens is not written again for every few blocks.
TEST_F(Checkpoints, WaitUntilEnoughWasExecuted) {
    CheckpointShelf shelf{roster_, {.state_share = 4}};
    grow_to(shelf, span, 0);
    ASSERT_NE(shelf.newest(), nullptr);
    const std::uint64_t bytes = shelf.newest()->state_bytes;
    grow_to(shelf, 2 * span, (bytes + 3) / 4);
    EXPECT_EQ(shelf.newest()->height(), Height{span}) << "eight quarters are less than four";
    grow_to(shelf, 3 * span, (bytes + 3) / 4);
    EXPECT_EQ(shelf.newest()->height(), Height{3 * span});
    grow_to(shelf, 66 * span, 0);
    EXPECT_EQ(shelf.newest()->height(), Height{3 * span});
    grow_to(shelf, 67 * span, 0);
    EXPECT_EQ(shelf.newest()->height(), Height{67 * span}) << "a quiet chain gets one in the end";
}

TEST_F(Checkpoints, ADamagedOneIsNotUsed) {
    CheckpointShelf shelf{roster_, {.state_share = 0}};
    grow_to(shelf, 2 * span);
    ASSERT_TRUE(store_.flip(Column::state, keys::checkpoint_part(Height{2 * span}, 0), 9));
    CheckpointShelf second{roster_, {}};
    EXPECT_EQ(restored(second), Height{span});
    ASSERT_TRUE(store_.flip(Column::state, keys::checkpoint_part(Height{span}, 0), 9));
    CheckpointShelf none{roster_, {}};
    EXPECT_EQ(restored(none), Height{}) << "all blocks are here: they are executed";
    write({{Column::meta, keys::kept_from(), share(keys::number(span + 1))}});
    CheckpointShelf lost{roster_, {}};
    const auto refused = lost.restore(store_, log_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
    EXPECT_NE(refused.error().message.find("below height 9 were dropped"), std::string::npos)
        << refused.error().message;
}

TEST_F(Checkpoints, DropsWhatLiesBelowThoseThatAreKept) {
    CheckpointShelf shelf{roster_, {.keep_blocks = 20, .state_share = 0}};
    Pruner pruner;
    grow_to(shelf, span + 19);
    EXPECT_EQ(shelf.horizon(final_->height()), nullptr) << "not old enough";
    grow(shelf);
    const Checkpoint* horizon = shelf.horizon(final_->height());
    ASSERT_NE(horizon, nullptr);
    EXPECT_EQ(horizon->height(), Height{span});
    pruner.begin(*horizon, effects_);
    shelf.drop_below(horizon->height(), effects_);
    while (pruner.is_busy())
        for (const Loaded& answer : carry_out())
            ASSERT_TRUE(pruner.on_loaded(answer, effects_));
    carry_out();
    EXPECT_EQ(pruner.dropped(), span - 1U);
    EXPECT_FALSE(store_.get(Column::blocks, simplex::final_block_key(Height{span - 1}))->has_value()
    );
    EXPECT_TRUE(store_.get(Column::blocks, simplex::final_block_key(Height{span}))->has_value());
    EXPECT_EQ(shelf.horizon(final_->height()), nullptr) << "done already";
    CheckpointShelf again{roster_, {.keep_blocks = 20}};
    EXPECT_EQ(restored(again), Height{3 * span});
    EXPECT_EQ(again.kept_from(), Height{span + 1});
}

TEST_F(Checkpoints, DropsVerticesWithTheirPlacesInTheIndex) {
    state_test::Network network{4};
    Checkpoint checkpoint;
    for (int i = 0; i < 600; ++i) {
        const VertexPtr vertex = network.vertex(1, {});
        write(keys::put_vertex(vertex));
        if (i < 590)
            checkpoint.cut.set(vertex->header().lane, {vertex->header().sequence, vertex->id()});
    }
    Pruner pruner;
    pruner.begin(checkpoint, effects_);
    while (pruner.is_busy())
        for (const Loaded& answer : carry_out())
            ASSERT_TRUE(pruner.on_loaded(answer, effects_));
    carry_out();
    EXPECT_EQ(store_.key_count(Column::lanes), 10U);
    EXPECT_EQ(store_.key_count(Column::vertices), 10U);
    EXPECT_FALSE(pruner.on_loaded({Ticket{99}, {}}, effects_));
}

TEST_F(Checkpoints, AreOfferedWithTheirProofOnceABlockNamesThem) {
    CheckpointShelf shelf{roster_, {.state_share = 0}};
    const std::vector<RosterLink> links;
    CheckpointGiver giver{shelf, silent_, links};
    const auto offers = [&](std::int64_t second) {
        giver.offer(holder(9), Instant::from_ns(second * 1'000'000'000), effects_);
        for (int i = 0; i < 3; ++i)
            for (const Loaded& answer : carry_out())
                EXPECT_TRUE(giver.on_loaded(answer, effects_));
        carry_out();
        return sent<OfferedCheckpoint>(std::exchange(said_, {}));
    };
    grow_to(shelf, 2 * span);  // The block after it names its mark, and 20 carries a finalisation.
    const auto early = offers(1);
    ASSERT_EQ(early.size(), 1U);
    EXPECT_EQ(early[0].checkpoint.height(), Height{span});
    EXPECT_TRUE(offers(1).empty()) << "one a second";
    grow_to(shelf, 20);
    const auto later = offers(3);
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(later[0].checkpoint.height(), Height{2 * span});
    EXPECT_EQ(later[0].proof.blocks.front(), later[0].checkpoint.block);
    EXPECT_EQ(later[0].proof.blocks.back().height, Height{20});
    EXPECT_TRUE(later[0].proof.finalization.has_value());
    giver.ask(holder(9), {Height{2 * span}, 0, 4}, effects_);
    giver.ask(holder(9), {Height{3}, 0, 4}, effects_);
    for (const Loaded& answer : carry_out())
        EXPECT_TRUE(giver.on_loaded(answer, effects_));
    carry_out();
    const auto parts = sent<CheckpointPart>(said_);
    ASSERT_EQ(parts.size(), 1U);
    EXPECT_EQ(hash(HashDomain::checkpoint_part, parts[0].bytes), later[0].checkpoint.parts[0]);
}

/// An offer whose state has so many parts.
OfferedCheckpoint offer_of(std::size_t parts) {
    const Bytes state((parts - 1) * limits::checkpoint_part_bytes + 1, 3);
    OfferedCheckpoint offered;
    offered.checkpoint = CheckpointShelf::describe({}, {}, {}, {}, state);
    offered.checkpoint.block.height = Height{8};
    return offered;
}

class Fetching : public ::testing::Test {
protected:
    void offer(std::uint8_t from, std::size_t parts, Height executed = {}) {
        const OfferedCheckpoint offered = offer_of(parts);
        fetch_.on_offer(
            holder(from), {offered, CheckPass::own()}, executed, Instant::from_ns(0), effects_
        );
    }
    std::optional<CheckpointFetch::Arrived> part(
        std::uint8_t from, std::uint32_t number, std::size_t parts, std::uint8_t byte = 3
    ) {
        const bool last = number + 1 == parts;
        Bytes bytes(last ? 1 : limits::checkpoint_part_bytes, byte);
        return fetch_.on_part(
            holder(from), {Height{8}, number, std::move(bytes)}, Instant::from_ns(0), effects_
        );
    }
    std::size_t asked() {
        std::size_t parts = 0;
        for (const auto& request : sent<CheckpointRequest>(effects_.take()))
            parts += request.count;
        return parts;
    }

    CheckpointFetch fetch_;
    Effects effects_;
};

TEST_F(Fetching, AsksAFewAtATimeAndGivesTheWhole) {
    offer(1, 20);
    EXPECT_EQ(asked(), 8U);
    for (std::uint32_t i = 0; i < 19; ++i)
        EXPECT_FALSE(part(1, i, 20).has_value()) << i;
    EXPECT_EQ(asked(), 12U);
    EXPECT_FALSE(part(1, 0, 20).has_value()) << "again";
    EXPECT_FALSE(part(2, 19, 20).has_value()) << "of somebody else";
    const auto whole = part(1, 19, 20);
    ASSERT_TRUE(whole.has_value());
    EXPECT_EQ(whole->from, holder(1));
    EXPECT_EQ(whole->state.size(), 19 * limits::checkpoint_part_bytes + 1);
    EXPECT_FALSE(fetch_.is_under_way());
}

TEST_F(Fetching, LeavesWhoSendsSomethingElseOrNothing) {
    offer(1, 2);
    EXPECT_FALSE(part(1, 0, 2, 4).has_value());
    EXPECT_FALSE(fetch_.is_under_way());
    offer(1, 2);
    EXPECT_FALSE(fetch_.is_under_way()) << "somebody else first";
    offer(2, 2);
    EXPECT_TRUE(fetch_.is_under_way());
    offer(3, 2);  // One at a time.
    fetch_.on_time(fetch_.next_wake());
    EXPECT_FALSE(fetch_.is_under_way());
    EXPECT_EQ(fetch_.next_wake(), Instant::max());
    offer(1, 2);
    EXPECT_TRUE(fetch_.is_under_way()) << "nobody else may be there";
    fetch_.on_peer_down(holder(1));
    EXPECT_FALSE(fetch_.is_under_way());
}

// A state cut at other places is the same state, but no longer the parts that are kept and served.
TEST_F(Fetching, LeavesWhoCutsTheStateAtOtherPlaces) {
    const Bytes whole(limits::checkpoint_part_bytes + 1, 3);
    const ByteView half = ByteView{whole}.first(whole.size() / 2);
    const ByteView rest = ByteView{whole}.subspan(half.size());
    OfferedCheckpoint offered = offer_of(2);
    offered.checkpoint.parts = {
        hash(HashDomain::checkpoint_part, half), hash(HashDomain::checkpoint_part, rest)};
    fetch_.on_offer(
        holder(1), {offered, CheckPass::own()}, Height{}, Instant::from_ns(0), effects_
    );
    ASSERT_TRUE(fetch_.is_under_way());
    const CheckpointPart first{Height{8}, 0, Bytes{half.begin(), half.end()}};
    EXPECT_FALSE(fetch_.on_part(holder(1), first, Instant::from_ns(0), effects_).has_value());
    EXPECT_FALSE(fetch_.is_under_way());
}

TEST_F(Fetching, TakesOnlyWhatLiesAboveWhatWasExecuted) {
    offer(1, 2, Height{8});
    EXPECT_FALSE(fetch_.is_under_way());
    offer(1, 2, Height{7});
    EXPECT_TRUE(fetch_.is_under_way());
}

}  // namespace
}  // namespace creto
