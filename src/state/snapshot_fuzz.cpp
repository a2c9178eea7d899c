// The snapshot of a state that has something of everything, changed as the input says: it is refused,
// or it is the same state. Under a root that fits changed leaves, too, nothing crashes, and what is
// taken gives a snapshot that is taken again.
#include <algorithm>

#include "base/testing/fuzz_input.hpp"
#include "state/state_fixture.hpp"

namespace {

using namespace creto;              // NOLINT(google-build-using-namespace): one program, one use
using namespace creto::state_test;  // NOLINT(google-build-using-namespace)
using creto::testing::damage;
using creto::testing::FuzzInput;
using creto::testing::require;

/// Keys, all kinds of causal data, offers, an open dispute, an exclusion, operation ids.
class Past {
public:
    Past() {
        const Call call =
            Call{net, *net.signers[0], {0, 1, 2, 3}, 3}.answered(net, 0, "1").answered(net, 1, "2");
        for (std::uint32_t seat = 0; seat < 4; ++seat)
            node.finalise({net.vertex(seat, {net.operation(seat, OfferOperation{{call.contract}})})}
            );
        node.finalise({net.vertex(0, {net.operation(0, call.record_and_open())})});
        VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
        VoteContent b = a;
        b.block = BlockId{digest_of("b")};
        const EvidenceOperation lie{VoteConflict{net.vote(3, a), net.vote(3, b)}};
        node.finalise({net.vertex(1, {net.operation(1, lie)})});
        using Action = CrdtOperation::Action;
        node.finalise({node.make(
            net,
            2,
            {set_key("final/a", "b"),
             add_key("final/n", 3),
             data(20),
             count("causal/n", 2),
             write("causal/r", "x"),
             causal(Action::last_set, "causal/l", "y"),
             causal(Action::set_add, "causal/s", "z"),
             causal(Action::list_append, "causal/list", "one"),
             causal(Action::list_append, "causal/list", "two"),
             count("causal/m", 1, {"field"})}
        )});
        node.finalise({node.make(net, 2, {causal(Action::set_remove, "causal/s", "z")})});
        node.finalise({node.make(net, 2, {causal(Action::set_add, "causal/s", "w")})});
    }

    Network net{4};
    Node node{net};
};

/// The leaves of a snapshot, and what follows them.
struct Taken {
    std::vector<std::pair<std::string, Bytes>> leaves;
    Bytes rest;

    explicit Taken(ByteView snapshot) {
        Reader reader{snapshot};
        version = reader.u8();
        const std::size_t count = reader.count(1'000, 2);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string key = reader.text(1'000);
            const ByteView value = reader.bytes(100'000);
            leaves.emplace_back(key, Bytes{value.begin(), value.end()});
        }
        require(reader.ok());
        rest.assign(reader.rest().begin(), reader.rest().end());
    }
    [[nodiscard]] Digest root() const {
        MerkleMap map;
        for (const auto& [key, value] : leaves)
            map.set(key, value);
        return map.root();
    }
    [[nodiscard]] Bytes bytes() const {
        Writer w;
        w.u8(version);
        w.uvarint(leaves.size());
        for (const auto& [key, value] : leaves) {
            w.text(key);
            w.bytes(value);
        }
        Bytes out = w.take();
        out.insert(out.end(), rest.begin(), rest.end());
        return out;
    }
    void change(FuzzInput& draws) {
        if (leaves.empty()) return;
        auto& leaf = leaves[draws.below(leaves.size())];
        switch (draws.below(5)) {
            case 0:
                damage(leaf.second, draws);
                break;
            case 1: {
                const Bytes more = draws.take(draws.below(16));
                leaf.first = leaf.first.substr(0, draws.below(leaf.first.size() + 1)) +
                             std::string{as_text(more)};
                break;
            }
            case 2:
                std::swap(leaf, leaves.back());
                leaves.pop_back();
                break;
            case 3:
                leaf.second = leaves[draws.below(leaves.size())].second;
                break;
            default:
                damage(rest, draws);
        }
    }

    std::uint8_t version = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Past past;
    static const Bytes whole = past.node.state.snapshot();
    const Roster& roster = past.net.roster;
    const ExecutedMark& mark = past.node.state.mark();
    FuzzInput draws{ByteView{data, size}};
    if (draws.below(2) == 0) {
        Bytes bytes = whole;
        for (std::size_t changes = draws.below(4); changes > 0; --changes)
            damage(bytes, draws);
        const auto restored = FinalState::restore(bytes, mark, roster);
        require(restored.has_value() || bytes != whole);
        require(!restored || restored->snapshot() == whole);
        return 0;
    }
    Taken taken{whole};
    for (std::size_t changes = draws.below(4); changes > 0; --changes)
        taken.change(draws);
    ExecutedMark other = mark;
    other.state_root = taken.root();
    auto restored = FinalState::restore(taken.bytes(), other, roster);
    if (!restored) return 0;
    const auto again = FinalState::restore(restored->snapshot(), other, roster);
    require(again.has_value() && again->snapshot() == restored->snapshot());
    advance(*restored, restored->height().value() + 2);
    return 0;
}
