// Framing: t colluding seats and any number of agents without one try to have an honest agent named,
// suspended or excluded, with everything that it ever signed.
#include <deque>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

constexpr std::uint32_t seats = 7;
constexpr std::uint32_t first_liar = 5;
constexpr std::uint32_t outsiders = 12;
const std::string honest_result = "300";

class Framing {
public:
    explicit Framing(std::uint64_t seed)
        : prng_{seed}, net_{seats}, elsewhere_{seats, QuorumMode::crash}, state_{net_.roster} {
        for (std::uint32_t i = 0; i < outsiders; ++i)
            sybils_.push_back(net_.outsider(static_cast<std::uint8_t>(100 + i)));
        const Call any{net_, *sybils_[0], {0}, 1};
        std::vector<VertexPtr> offers;
        for (std::uint32_t seat = 0; seat < seats; ++seat)
            offers.push_back(
                net_.vertex(seat, {net_.operation(seat, OfferOperation{{any.contract}}, late())})
            );
        finalise(state_, offers);
    }

    void round() {
        std::vector<Operation> made;
        for (std::uint64_t i = 1 + prng_.below(3); i > 0; --i)
            if (auto body = attack()) made.push_back(std::move(*body));
        std::vector<VertexPtr> ordered;
        for (Operation& operation : made) {
            VertexPtr vertex = net_.vertex(liar(), {std::move(operation)});
            // The door: what is not signed as it says reaches nobody's state.
            const auto items = signatures_of(*vertex, net_.roster);
            if (!items || !CheckPass::verify(net_.scheme, *items)) {
                ++refused_;
                net_.rewind(
                    vertex->header().lane.seat.value(), lanes_[vertex->header().lane.seat.value()]
                );
                continue;
            }
            lanes_[vertex->header().lane.seat.value()] = vertex;
            ordered.push_back(std::move(vertex));
        }
        for (VertexPtr& answer : honest_answers())
            ordered.push_back(std::move(answer));
        const auto done = finalise(state_, ordered);
        for (const auto& operation : done.operations)
            applied_ += operation.applied ? 1 : 0;
        opened_ += done.opened.size();
        for (std::uint32_t seat = 0; seat < first_liar; ++seat) {
            const AgentId agent = net_.agent(seat);
            ASSERT_FALSE(state_.excluded(agent)) << state_.reputation_view(agent).reasons[0];
            ASSERT_EQ(state_.reputation(agent).dissented, 0U)
                << "seat " << seat << " at height " << state_.height().value();
            ASSERT_FALSE(state_.suspended(agent));
        }
    }

    [[nodiscard]] std::uint64_t applied() const { return applied_; }
    [[nodiscard]] std::uint64_t opened() const { return opened_; }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }
    [[nodiscard]] std::uint64_t dissents_of_liars() const {
        std::uint64_t out = 0;
        for (std::uint32_t seat = first_liar; seat < seats; ++seat)
            out += state_.reputation(net_.agent(seat)).dissented;
        return out;
    }

private:
    static Height late() { return Height{2'000}; }
    [[nodiscard]] Height expiry() const { return Height{state_.height().value() + 500}; }
    std::uint32_t liar() {
        return first_liar + static_cast<std::uint32_t>(prng_.below(seats - first_liar));
    }
    std::uint32_t victim() { return static_cast<std::uint32_t>(prng_.below(first_liar)); }
    const Signer& anybody() {
        const auto which = prng_.below(outsiders + 2);
        return which < outsiders ? *sybils_[which]
                                 : *net_.signers[first_liar + (which - outsiders)];
    }

    /// A call of a colluder to a panel of its choice. Whoever is honest answers it rightly, and the
    /// caller shows what it likes of that.
    Call& ask(bool of_elsewhere) {
        std::vector<std::uint32_t> panel;
        for (std::uint32_t seat = 0; seat < seats; ++seat)
            if (prng_.chance(2, 3)) panel.push_back(seat);
        if (panel.empty()) panel.push_back(victim());
        const auto most = static_cast<std::uint32_t>(panel.size());
        Network& where = of_elsewhere ? elsewhere_ : net_;
        auto& call = calls_.emplace_back(
            where, anybody(), panel, 1 + static_cast<std::uint32_t>(prng_.below(most)), ++nonce_
        );
        for (const std::uint32_t seat : panel) {
            if (prng_.chance(1, 4)) continue;  // It is withheld.
            const bool lies = seat >= first_liar && prng_.chance(3, 4);
            call.answered(where, seat, lies ? "3000" : honest_result);
        }
        for (std::uint64_t i = prng_.below(4); i > 0; --i)
            call.answered(where, *sybils_[prng_.below(outsiders)], "3000");
        std::erase_if(call.receipt.answers, [&, last = AgentId{}](const Answer& answer) mutable {
            const bool again = answer.provider == last;
            last = answer.provider;
            return again;
        });
        return call;
    }

    std::optional<Operation> attack() {
        switch (prng_.below(8)) {
            case 0:
            case 1: {  // On record, mostly with a dispute, under the caller's name or another's.
                const Call& call = ask(prng_.chance(1, 8));
                const Signer* caller = &anybody();
                for (const auto& sybil : sybils_)
                    if (sybil->public_key() == call.receipt.request.caller && prng_.chance(7, 8))
                        caller = sybil.get();
                const bool opens = prng_.chance(4, 5);
                return net_.signed_by(
                    *caller, opens ? call.record_and_open() : call.record(), expiry()
                );
            }
            case 2: {  // In the panel the colluders say what they like, each once.
                if (calls_.empty()) return std::nullopt;
                const Call& call = calls_[prng_.below(calls_.size())];
                return net_.operation(liar(), call.answer_again("3000"), expiry());
            }
            case 3: {  // And in the name of others.
                if (calls_.empty()) return std::nullopt;
                const Call& call = calls_[prng_.below(calls_.size())];
                Operation stolen = net_.operation(victim(), call.answer_again("3000"), expiry());
                if (prng_.chance(1, 2))
                    stolen.signature = net_.signers[liar()]->sign(
                        SignDomain::operation, net_.roster.chain().value(), signing_bytes(stolen)
                    );
                return stolen;
            }
            case 4:
                return net_.signed_by(anybody(), EvidenceOperation{votes()}, expiry());
            case 5:
                return net_.signed_by(anybody(), EvidenceOperation{fork()}, expiry());
            default:
                return net_.signed_by(anybody(), EvidenceOperation{answers()}, expiry());
        }
    }

    /// Two votes that the victim may well have given; of other views, epochs or chains where they differ.
    Evidence votes() {
        const std::uint32_t seat = victim();
        VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
        VoteContent b = a;
        Vote other = net_.vote(seat, a);
        switch (prng_.below(5)) {
            case 0:
                b.view = View{4};
                break;
            case 1:
                b.kind = VoteKind::finalize;
                break;
            case 2:
                b = {VoteKind::nullify, Epoch{1}, View{3}, View{}, BlockId{}};
                break;
            case 3:
                b.epoch = Epoch{2};
                b.block = BlockId{digest_of("b")};
                break;
            default:  // Of the other network, with the same keys.
                b.block = BlockId{digest_of("b")};
                return VoteConflict{other, elsewhere_.vote(seat, b)};
        }
        return VoteConflict{other, net_.vote(seat, b)};
    }
    /// Two vertices of one lane: one after the other, or one of them of the other network.
    Evidence fork() {
        const std::uint32_t seat = victim();
        const VertexPtr a = honest_lane(net_, seat);
        const VertexPtr b = honest_lane(prng_.chance(1, 2) ? net_ : elsewhere_, seat);
        return LaneFork{a->top(), b->top()};
    }
    VertexPtr honest_lane(Network& net, std::uint32_t seat) {
        return net.vertex(seat, {net.operation(seat, data(prng_.below(9)), expiry())});
    }
    /// Two true answers of one seat, dressed up as contradictions.
    Evidence answers() {
        const std::uint32_t seat = victim();
        const bool foreign = prng_.chance(1, 3);
        std::array<Call, 2> calls{
            Call{net_, anybody(), {seat}, 1, ++nonce_},
            Call{foreign ? elsewhere_ : net_, anybody(), {seat}, 1, ++nonce_}};
        calls[0].answered(net_, seat, honest_result);
        calls[1].answered(foreign ? elsewhere_ : net_, seat, foreign ? "3000" : honest_result);
        AnswerConflict conflict;
        conflict.contract = calls[0].contract;
        conflict.arguments = calls[0].arguments;
        conflict.a = {
            calls[0].receipt.request, calls[0].receipt.answers[0], calls[0].salt, honest_result};
        conflict.b = {
            calls[1].receipt.request,
            calls[1].receipt.answers[0],
            calls[1].salt,
            foreign ? "3000" : honest_result};
        switch (prng_.below(5)) {
            case 0:
                conflict.b.result = "3000";  // It does not open.
                break;
            case 1:
                conflict.contract.flags ^= ContractSummary::pinned;  // A mislabelled tool.
                break;
            case 2:
                conflict.b.answer.result = calls[1].digest("3000");  // What it never signed.
                conflict.b.result = "3000";
                break;
            case 3:
                conflict.b.answer.provider = net_.agent(liar());  // Another's words.
                break;
            default:
                break;
        }
        return conflict;
    }

    /// The honest ones answer what is asked of them, rightly, now or later or, cut off, never.
    std::vector<VertexPtr> honest_answers() {
        std::vector<VertexPtr> out;
        for (const OpenDispute& open : state_.open_disputes()) {
            const auto call = std::find_if(calls_.begin(), calls_.end(), [&](const Call& one) {
                return one.id == open.call;
            });
            for (std::uint32_t seat = 0; call != calls_.end() && seat < first_liar; ++seat)
                if (prng_.chance(1, 3))
                    out.push_back(net_.vertex(
                        seat, {net_.operation(seat, call->answer_again(honest_result), expiry())}
                    ));
        }
        return out;
    }

    Prng prng_;
    Network net_;
    Network elsewhere_;  ///< Another chain, of the same keys.
    FinalState state_;
    std::vector<std::unique_ptr<Signer>> sybils_;
    std::deque<Call> calls_;
    std::map<std::uint32_t, VertexPtr> lanes_;
    std::uint64_t nonce_ = 0;
    std::uint64_t applied_ = 0;
    std::uint64_t opened_ = 0;
    std::uint64_t refused_ = 0;
};

// [COURT-FRAME.1] [COURT-PROOF.1] [DISPUTE-BAR.1]
TEST(Framing, WhateverTwoOfSevenAndAnyoneElseDoNobodyHonestIsNamed) {
    std::uint64_t applied = 0;
    std::uint64_t opened = 0;
    std::uint64_t refused = 0;
    std::uint64_t dissents = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Framing framing{seed};
        for (int i = 0; i < 400; ++i) {
            framing.round();
            ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed << ", round " << i;
        }
        applied += framing.applied();
        opened += framing.opened();
        refused += framing.refused();
        dissents += framing.dissents_of_liars();
    }
    EXPECT_GT(applied, 1'000U);
    EXPECT_GT(opened, 200U) << "disputes were decided";
    EXPECT_GT(refused, 200U) << "the door turned forgeries away";
    EXPECT_GT(dissents, 100U) << "and those who lied were named";
}

}  // namespace
}  // namespace creto
