#include "state/final_state.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

TEST(VertexChecks, ListTheSignaturesOfAllThatIsSigned) {
    Network net{4};
    const auto client = net.outsider(90);
    Call call{net, *client, {0, 1, 2, 3}, 3};
    call.answered(net, 0, "300").answered(net, 1, "300");
    VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    VoteContent b = a;
    b.block = BlockId{digest_of("b")};
    const VertexPtr vertex = net.vertex(
        2,
        {net.operation(2, data(10)),
         net.signed_by(*client, call.record()),
         net.operation(2, EvidenceOperation{VoteConflict{net.vote(1, a), net.vote(1, b)}})}
    );
    const auto items = signatures_of(*vertex, net.roster);
    ASSERT_TRUE(items.has_value());
    // The vertex, the client, the caller, two answers, two votes.
    EXPECT_EQ(items->size(), 7U);
    EXPECT_TRUE(CheckPass::verify(net.scheme, *items).has_value());
    for (std::size_t i = 0; i < items->size(); ++i) {
        auto forged = *items;
        forged[i].bytes.push_back(0);
        EXPECT_FALSE(CheckPass::verify(net.scheme, forged).has_value()) << i;
    }
}

TEST(VertexChecks, RefuseWhatNoSignatureMakesValid) {
    Network net{4};
    const auto client = net.outsider(90);
    const auto refused = [&](std::vector<Operation> operations) {
        return !signatures_of(*net.vertex(0, std::move(operations)), net.roster).has_value();
    };
    EXPECT_FALSE(refused({net.operation(0, data(1))}));
    EXPECT_TRUE(refused({net.operation(1, data(1))})) << "another seat's operation, unsigned";
    Call call{net, *client, {0, 1, 2, 3}, 3};
    call.receipt.request.bar = 2;
    EXPECT_TRUE(refused({net.operation(0, call.record())})) << "a bar that decides nothing";
    const VoteContent vote{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    const Evidence equal = VoteConflict{net.vote(1, vote), net.vote(1, vote)};
    EXPECT_TRUE(refused({net.operation(0, EvidenceOperation{equal})})) << "no contradiction";

    VertexHeader unknown;
    unknown.lane = {Seat{9}, {}};
    unknown.sequence = Sequence{1};
    EXPECT_FALSE(signatures_of(
                     *SealedVertex::make(unknown, {}, net.roster.chain(), *net.signers[0]),
                     net.roster
    )
                     .has_value());
}

TEST(FinalState, StartsEqualEverywhereAndBindsTheOrder) {
    Network net{4};
    FinalState a{net.roster};
    FinalState b{net.roster};
    EXPECT_EQ(a.mark(), b.mark());
    EXPECT_EQ(a.height(), Height{});
    const VertexPtr x = net.vertex(0, {net.operation(0, add_key("final/n", 1))});
    const VertexPtr y = net.vertex(1, {net.operation(1, add_key("final/n", 2))});
    const Block block = next_block(a);
    const auto of_a = a.apply(block, block.id(), {x, y});
    const auto of_b = b.apply(block, block.id(), {y, x});
    EXPECT_EQ(a.get("final/n"), b.get("final/n"));
    EXPECT_NE(of_a.mark.order_digest, of_b.mark.order_digest);
    EXPECT_EQ(a.mark_at(Height{1}), of_a.mark);
    EXPECT_EQ(a.mark_at(Height{2}), std::nullopt);
    advance(a, 1 + limits::marks_kept);
    EXPECT_EQ(a.mark_at(Height{1}), std::nullopt);
    EXPECT_TRUE(a.mark_at(Height{2}).has_value());
}

TEST(FinalState, AnEmptyBlockChangesTheRoot) {
    Network net{4};
    FinalState state{net.roster};
    const ExecutedMark before = state.mark();
    advance(state, 1);
    EXPECT_NE(state.mark().state_root, before.state_root);
    EXPECT_NE(state.mark().order_digest, before.order_digest);
}

TEST(FinalState, WritesKeysInTheFinalOrder) {
    Network net{4};
    FinalState state{net.roster};
    const auto done = finalise(
        state,
        {net.vertex(
            0,
            {net.operation(0, set_key("final/a", "one")),
             net.operation(0, set_key("final/a", "two")),
             net.operation(0, add_key("final/a", 1)),
             net.operation(0, add_key("final/n", 40)),
             net.operation(0, add_key("final/n", 2)),
             net.operation(0, remove_key("final/absent")),
             net.operation(0, set_key("final/b", "")),
             net.operation(0, remove_key("final/b"))}
        )}
    );
    std::vector<bool> applied;
    for (const auto& operation : done.operations) {
        applied.push_back(operation.applied);
        EXPECT_TRUE(operation.counted);
        EXPECT_EQ(operation.reason.empty(), operation.applied);
        EXPECT_EQ(state.operation(operation.id)->applied, operation.applied);
    }
    EXPECT_EQ(applied, (std::vector<bool>{true, true, false, true, true, false, true, true}));
    EXPECT_EQ(done.operations[2].reason, "final/a does not hold a number");
    EXPECT_EQ(text_of(state.get("final/a")), "two");
    EXPECT_EQ(text_of(state.get("final/n")), "42");
    EXPECT_EQ(state.get("final/b"), std::nullopt);
    EXPECT_EQ(state.counts().applied, 6U);
    EXPECT_EQ(state.counts().void_operations, 2U);
}

TEST(FinalState, AddSaturates) {
    Network net{4};
    FinalState state{net.roster};
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    finalise(
        state,
        {net.vertex(
            0,
            {net.operation(0, add_key("final/up", most)),
             net.operation(0, add_key("final/up", 1)),
             net.operation(0, add_key("final/down", least)),
             net.operation(0, add_key("final/down", -1)),
             net.operation(0, set_key("final/over", "9223372036854775808")),
             net.operation(0, add_key("final/over", 1))}
        )}
    );
    EXPECT_EQ(text_of(state.get("final/up")), std::to_string(most));
    EXPECT_EQ(text_of(state.get("final/down")), std::to_string(least));
    EXPECT_EQ(text_of(state.get("final/over")), "9223372036854775808");
}

// [STATE-ONCE.1]
TEST(FinalState, ExecutesAnOperationOnceThoughTwoLanesCarryIt) {
    Network net{4};
    const auto client = net.outsider(90);
    FinalState state{net.roster};
    const Operation add = net.signed_by(*client, add_key("final/n", 1), Height{50});
    const auto first = finalise(state, {net.vertex(0, {add}), net.vertex(1, {add})});
    EXPECT_TRUE(first.operations[0].applied);
    EXPECT_FALSE(first.operations[1].applied || first.operations[1].counted);
    EXPECT_EQ(first.operations[1].reason, "it is final already, since height 1");
    advance(state, 20);
    EXPECT_FALSE(finalise(state, {net.vertex(2, {add})}).operations[0].applied);
    EXPECT_EQ(state.final_at(add.id(net.roster.chain())), Height{1});
    advance(state, 50);
    // Forgotten now, and still not executed: it has expired.
    EXPECT_EQ(state.final_at(add.id(net.roster.chain())), std::nullopt);
    const auto late = finalise(state, {net.vertex(3, {add})});
    EXPECT_EQ(late.operations[0].reason, "it expired at height 50");
    EXPECT_EQ(text_of(state.get("final/n")), "1");
}

// [STATE-ONCE.1]
TEST(FinalState, WhatIsNotTheClientsOwnNeitherCountsNorBlocksTheGenuine) {
    Network net{4};
    FinalState state{net.roster};
    const Operation genuine = net.operation(1, add_key("final/n", 1));
    const auto stolen = finalise(state, {net.vertex(0, {genuine})});
    EXPECT_FALSE(stolen.operations[0].applied || stolen.operations[0].counted);
    EXPECT_EQ(stolen.operations[0].reason, "its client has not signed it");
    EXPECT_TRUE(finalise(state, {net.vertex(1, {genuine})}).operations[0].applied);
    EXPECT_EQ(text_of(state.get("final/n")), "1");
}

TEST(FinalState, HoldsExpiryToItsWindow) {
    Network net{4};
    FinalState state{net.roster};
    advance(state, 5);  // The next block has height 6.
    const auto add = [&](std::uint64_t expiry) {
        return net.operation(0, add_key("final/n", 1), Height{expiry});
    };
    const auto done =
        finalise(state, {net.vertex(0, {add(5), add(6), add(6 + 10'000), add(6 + 10'001)})});
    EXPECT_EQ(done.operations[0].reason, "it expired at height 5");
    EXPECT_TRUE(done.operations[1].applied);
    EXPECT_TRUE(done.operations[2].applied);
    EXPECT_EQ(done.operations[3].reason, "it would expire more than 10000 blocks ahead");
    EXPECT_FALSE(done.operations[0].counted || done.operations[3].counted);
}

TEST(FinalState, ForgetsIdsOnlyAfterTheLastOfTheirBlockExpired) {
    Network net{4};
    FinalState state{net.roster};
    const Operation soon = net.operation(0, data(1), Height{3});
    const Operation late = net.operation(0, data(1), Height{8});
    finalise(state, {net.vertex(0, {soon, late})});
    EXPECT_TRUE(state.get("executed/1").has_value());
    advance(state, 7);
    EXPECT_TRUE(state.final_at(soon.id(net.roster.chain())).has_value());
    advance(state, 8);
    EXPECT_FALSE(state.final_at(soon.id(net.roster.chain())).has_value());
    EXPECT_FALSE(state.get("executed/1").has_value());
}

TEST(FinalState, CountsDataAndKeepsItsIdNotItsBytes) {
    Network net{4};
    FinalState state{net.roster};
    const Operation operation = net.operation(0, data(1'000));
    finalise(state, {net.vertex(0, {operation})});
    EXPECT_EQ(state.counts().data, 1U);
    EXPECT_EQ(state.counts().data_bytes, 1'000U);
    EXPECT_EQ(state.final_at(operation.id(net.roster.chain())), Height{1});
    EXPECT_LT(state.snapshot().size(), 400U);
}

TEST(FinalState, HoldsKeysAndIdsToTheirLimits) {
    Network net{4};
    FinalState state{net.roster, {.final_keys = 2, .final_bytes = 40, .operation_ids = 6}};
    const std::string ten(10, 'x');
    const auto done = finalise(
        state,
        {net.vertex(
            0,
            {net.operation(0, set_key("final/1", ten)),              // 17 bytes
             net.operation(0, set_key("final/2", ten)),              // 34
             net.operation(0, set_key("final/3", "")),               // a third key
             net.operation(0, set_key("final/2", ten + "1234567")),  // one byte over
             net.operation(0, set_key("final/2", ten + "123456")),   // exactly
             net.operation(0, remove_key("final/1")),
             net.operation(0, data(1))}  // a seventh id
        )}
    );
    std::vector<bool> applied;
    for (const auto& operation : done.operations)
        applied.push_back(operation.applied);
    EXPECT_EQ(applied, (std::vector<bool>{true, true, false, false, true, true, false}));
    EXPECT_EQ(done.operations[2].reason, "the keys under final/ have reached their limit");
    EXPECT_EQ(done.operations[6].reason, "too many operations have not expired yet");
    EXPECT_FALSE(done.operations[6].counted);
}

TEST(FinalState, HoldsCausalDataToTheirLimit) {
    Network net{4};
    FinalState state{net.roster, {.causal_bytes = 2'000}};
    const auto one = [&](const std::string& key, std::size_t bytes) {
        const auto done = finalise(
            state, {net.vertex(0, {net.operation(0, write(key, std::string(bytes, 'x')))})}
        );
        return done.operations[0].reason;
    };
    EXPECT_EQ(one("causal/a", 1'400), "");
    EXPECT_EQ(one("causal/b", 400), "the keys under causal/ have reached their limit");
    const std::vector<Dot> seen{state.causal_base().entries().begin()->second.values[0].dot};
    const auto cleared =
        finalise(state, {net.vertex(1, {net.operation(1, clear("causal/a", seen))})});
    EXPECT_TRUE(cleared.operations[0].applied);
    EXPECT_EQ(one("causal/b", 1'400), "");
}

TEST(FinalState, ProvesKeysUnderItsRoot) {
    Network net{4};
    FinalState state{net.roster};
    finalise(state, {net.vertex(0, {net.operation(0, set_key("final/a", "1"))})});
    const Bytes value = to_bytes("1");
    const Digest root = state.mark().state_root;
    EXPECT_TRUE(verify(root, "final/a", ByteView{value}, state.prove("final/a")));
    EXPECT_TRUE(verify(root, "final/b", std::nullopt, state.prove("final/b")));
}

/// A mix of everything that lanes can carry, valid and not.
std::vector<VertexPtr> random_vertices(Network& net, Prng& prng, Height height) {
    std::vector<VertexPtr> ordered;
    const std::uint64_t count_of_vertices = 1 + prng.below(4);
    for (std::uint64_t v = 0; v < count_of_vertices; ++v) {
        const auto seat = static_cast<std::uint32_t>(prng.below(4));
        std::vector<Operation> operations;
        for (std::uint64_t i = prng.below(5); i > 0; --i) {
            const std::string n = std::to_string(prng.below(8));
            const std::vector<OperationBody> bodies{
                data(prng.below(50)),
                set_key("final/" + n, n),
                add_key("final/" + n, 3),
                remove_key("final/" + n),
                count("causal/" + n, 2),
                write("causal/" + n, n),
                OfferOperation{{ContractSummary{15, digest_of("add" + n)}}}};
            operations.push_back(net.operation(
                seat, bodies[prng.below(bodies.size())], height.plus(prng.between(1, 20))
            ));
        }
        ordered.push_back(net.vertex(seat, std::move(operations)));
    }
    return ordered;
}

// [STATE-ROOT.1]
// Failure 12: operations that conflict were treated differently by nodes that had forgotten other
// parts of the past, and the outputs parted. What is forgotten follows from the height alone.
TEST(FinalState, ASnapshotContinuesLikeTheOriginal) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        Network net{4};
        Prng prng{seed};
        FinalState state{net.roster};
        for (int i = 0; i < 30; ++i)
            finalise(state, random_vertices(net, prng, state.height()));
        const Bytes bytes = state.snapshot();
        auto restored = FinalState::restore(bytes, state.mark(), net.roster);
        ASSERT_TRUE(restored.has_value()) << restored.error().message;
        EXPECT_EQ(restored->snapshot(), bytes);
        EXPECT_EQ(restored->counts(), state.counts());
        for (int i = 0; i < 30; ++i) {
            const auto vertices = random_vertices(net, prng, state.height());
            const auto original = finalise(state, vertices);
            const auto again = finalise(*restored, vertices);
            ASSERT_EQ(original.mark, again.mark) << "seed " << seed << " block " << i;
        }
        EXPECT_EQ(restored->snapshot(), state.snapshot());
    }
}

// [STATE-CUT.1]
TEST(FinalState, TheCutOfManySeatsIsInLeavesOfWhichABlockWritesFew) {
    Network net{70};
    Prng prng{5};
    FinalState state{net.roster};
    finalise(state, {net.vertex(0, {}), net.vertex(33, {}), net.vertex(69, {})});
    for (const char* key : {"cut/1", "cut/2"})
        ASSERT_TRUE(state.get(key).has_value()) << key;
    EXPECT_FALSE(state.get("cut/0").has_value()) << "those of the first seats are in the header";
    const Bytes second = *state.get("cut/2");
    const Bytes header = *state.get("header");
    finalise(state, {net.vertex(33, {})});
    EXPECT_EQ(*state.get("cut/2"), second);
    EXPECT_NE(*state.get("header"), header) << "it has the counts";

    const Bytes bytes = state.snapshot();
    auto restored = FinalState::restore(bytes, state.mark(), net.roster);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(restored->snapshot(), bytes);
    const auto next = {net.vertex(33, {}), net.vertex(34, {}), net.vertex(68, {})};
    EXPECT_EQ(finalise(state, next).mark, finalise(*restored, next).mark);

    // Leaves that have the root that the mark says, and are none that a block writes.
    Reader r{bytes};
    r.u8();
    std::map<std::string, Bytes> leaves;
    const std::size_t count = r.count(1'000, 2);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string key = r.text(limits::leaf_key_bytes_max);
        const ByteView value = r.bytes(limits::leaf_bytes_max);
        leaves[key].assign(value.begin(), value.end());
    }
    const auto refused = [&](auto change) {
        auto bad = leaves;
        change(bad);
        MerkleMap map;
        Writer w;
        w.u8(bytes.front());
        w.uvarint(bad.size());
        for (const auto& [key, value] : bad) {
            map.set(key, value);
            w.text(key);
            w.bytes(value);
        }
        w.raw(r.rest());
        ExecutedMark mark{Height{2}, map.root(), {}};
        return !FinalState::restore(w.take(), mark, net.roster).has_value();
    };
    EXPECT_FALSE(refused([](auto&) {}));
    EXPECT_TRUE(refused([](auto& l) { l["cut/1"].push_back(0); }));
    EXPECT_TRUE(refused([](auto& l) { l["cut/1"].pop_back(); }));
    EXPECT_TRUE(refused([](auto& l) { l["cut/3"] = l["cut/2"]; })) << "seats of another leaf";
    EXPECT_TRUE(refused([](auto& l) { l["cut/01"] = l["cut/1"]; }));
    EXPECT_TRUE(refused([](auto& l) { l["cut/x"] = l["cut/1"]; }));
    EXPECT_TRUE(refused([](auto& l) { l["cut/0"] = Bytes{0}; }));
    EXPECT_TRUE(refused([](auto& l) { l["cut/1"] = Bytes{2, 33, 0, 2, 33, 0, 2}; })) << "twice";
    EXPECT_TRUE(refused([](auto& l) { l["header"].push_back(0); }));
}

TEST(FinalState, ADamagedSnapshotIsRefused) {
    Network net{4};
    Prng prng{3};
    FinalState state{net.roster};
    for (int i = 0; i < 10; ++i)
        finalise(state, random_vertices(net, prng, state.height()));
    const Bytes good = state.snapshot();
    for (std::size_t i = 0; i < good.size(); ++i) {
        Bytes bad = good;
        bad[i] ^= 0x40U;
        EXPECT_FALSE(FinalState::restore(bad, state.mark(), net.roster).has_value()) << i;
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        EXPECT_FALSE(
            FinalState::restore(ByteView{good}.first(i), state.mark(), net.roster).has_value()
        );
    }
}

TEST(OperationIds, FindWhatIsKeptThroughGrowthAndForgetting) {
    Prng prng{1};
    OperationIds ids;
    MerkleMap map;
    std::map<OperationId, std::pair<Height, bool>> model;
    std::map<Height, Height> expiry_of_block;
    for (std::uint64_t h = 1; h <= 300; ++h) {
        const Height height{h};
        for (std::uint64_t i = prng.below(60); i > 0; --i) {
            const OperationId id{digest_of(std::to_string(prng.next()))};
            const Height expiry = height.plus(prng.below(40));
            const bool applied = prng.chance(1, 2);
            ids.add(id, height, expiry, applied);
            model[id] = {height, applied};
            expiry_of_block[height] = std::max(expiry_of_block[height], expiry);
        }
        ids.seal(height, map);
        std::erase_if(model, [&](const auto& entry) {
            return expiry_of_block.at(entry.second.first) <= height;
        });
        ASSERT_EQ(ids.size(), model.size());
        for (const auto& [id, kept] : model) {
            ASSERT_EQ(ids.find(id), (OperationState{kept.first, kept.second}));
        }
        EXPECT_EQ(ids.find(OperationId{digest_of("absent" + std::to_string(h))}), std::nullopt);
    }
}

}  // namespace
}  // namespace creto
