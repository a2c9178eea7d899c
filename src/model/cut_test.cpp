#include "model/cut.hpp"

#include <gtest/gtest.h>
#include <map>
#include <string>

#include "base/prng.hpp"

namespace creto {
namespace {

LaneId lane(std::uint32_t seat, std::uint32_t incarnation = 0) {
    return {Seat{seat}, Incarnation{incarnation}};
}

LaneTip tip(std::uint64_t sequence) {
    return {Sequence{sequence}, VertexId{blake3(as_bytes(std::to_string(sequence)))}};
}

std::vector<Cut::Entry> entries(const Cut& cut) {
    return {cut.begin(), cut.end()};
}

/// [ORD-L1.2] in its own words.
Digest root_by_hand(const std::map<LaneId, LaneTip>& cut) {
    std::map<std::uint32_t, Writer> pages;
    for (const auto& [id, at] : cut) {
        Writer& w = pages[id.seat.value() / 32];
        encode(w, id);
        encode(w, at);
    }
    if (pages.empty()) return hash(HashDomain::cut, {});
    if (pages.size() == 1) return hash(HashDomain::cut, pages.begin()->second.view());
    Hasher all{HashDomain::cut_pages};
    for (const auto& [number, bytes] : pages)
        all.update_u64(number).update(hash(HashDomain::cut, bytes.view()));
    return all.finish();
}

std::vector<Cut::Entry> changes(const Cut& now, const Cut& before) {
    std::vector<Cut::Entry> out;
    now.changes_since(before, [&](const LaneId& id, const LaneTip& at) {
        out.emplace_back(id, at);
    });
    return out;
}

TEST(Cut, IsAMapFromLanesToTipsWhateverItShares) {
    Prng prng{7};
    Cut cut;
    std::map<LaneId, LaneTip> map;
    std::vector<std::pair<Cut, std::map<LaneId, LaneTip>>> kept{{cut, map}};
    for (std::uint64_t i = 1; i <= 2'000; ++i) {
        const LaneId id = lane(
            static_cast<std::uint32_t>(prng.below(200)), static_cast<std::uint32_t>(prng.below(2))
        );
        cut.set(id, tip(i));
        map[id] = tip(i);
        if (i % 100 == 0) kept.emplace_back(cut, map);
    }
    for (std::size_t i = 0; i < kept.size(); ++i) {
        const auto& [value, model] = kept[i];
        EXPECT_EQ(entries(value), std::vector<Cut::Entry>(model.begin(), model.end()))
            << "a later cut changed what an earlier one shares with it";
        EXPECT_EQ(value.size(), model.size());
        EXPECT_EQ(value.empty(), model.empty());
        EXPECT_EQ(value.root(), root_by_hand(model));
        for (const auto& [other, theirs] : kept) {
            EXPECT_EQ(value == other, model == theirs);
            std::vector<Cut::Entry> differ;
            for (const auto& [id, at] : model) {
                const auto held = theirs.find(id);
                if (held == theirs.end() || held->second != at) differ.emplace_back(id, at);
            }
            EXPECT_EQ(changes(value, other), differ);
        }
    }
    EXPECT_EQ(cut.find(lane(7'000)), nullptr);
    EXPECT_EQ(cut.tip(lane(7'000)).sequence, Sequence{});
    EXPECT_EQ(*cut.find(map.begin()->first), map.begin()->second);
}

TEST(Cut, IsEqualHoweverItWasMade) {
    Cut up;
    Cut down;
    for (std::uint32_t seat = 0; seat < 100; ++seat)
        up.set(lane(seat), tip(seat + 1));
    for (std::uint32_t seat = 100; seat-- > 0;)
        down.set(lane(seat), tip(seat + 1));
    EXPECT_EQ(up, down);
    EXPECT_EQ(up.root(), down.root());
    EXPECT_TRUE(changes(up, down).empty());
    down.set(lane(99), tip(5));
    EXPECT_FALSE(up == down);
    EXPECT_NE(up.root(), down.root());
    EXPECT_EQ(changes(down, up), (std::vector<Cut::Entry>{{lane(99), tip(5)}}));
}

// A block may name any seat: a large number must not take memory for all below it.
TEST(Cut, HoldsAnySeatInOnePage) {
    const Cut far{{lane(0xFFFF'FFFF), tip(1)}};
    EXPECT_EQ(far.size(), 1U);
    EXPECT_EQ(far.tip(lane(0xFFFF'FFFF)), tip(1));
    EXPECT_EQ(far.root(), root_by_hand({{lane(0xFFFF'FFFF), tip(1)}}));
    const Cut both{{lane(0xFFFF'FFFF), tip(1)}, {lane(3), tip(2)}};
    EXPECT_EQ(entries(both).front().first, lane(3));
    EXPECT_NE(both.root(), far.root());
}

// The root that genesis and every network of up to 32 seats have had from the beginning.
TEST(Cut, OfOnePageIsHashedAsItAlwaysWas) {
    Writer w;
    encode(w, lane(0));
    encode(w, tip(4));
    encode(w, lane(31));
    encode(w, tip(9));
    EXPECT_EQ((Cut{{lane(31), tip(9)}, {lane(0), tip(4)}}.root()), hash(HashDomain::cut, w.view()));
    EXPECT_EQ(Cut{}.root(), hash(HashDomain::cut, {}));
}

TEST(Cut, ARootIsNeverThatOfAnEarlierValue) {
    Cut cut{{lane(1), tip(1)}, {lane(40), tip(1)}};
    const Cut before = cut;
    const Digest root = cut.root();
    cut.set(lane(40), tip(2));
    EXPECT_NE(cut.root(), root);
    EXPECT_EQ(before.root(), root);
    cut.set(lane(40), tip(1));
    EXPECT_EQ(cut.root(), root);
}

}  // namespace
}  // namespace creto
