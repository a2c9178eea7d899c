#include <gtest/gtest.h>

#include "state/court.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

// [CALL-RULE.1] Digests that differ are no dissent where the contract compares by a rule.
TEST(Court, NamesNobodyWhereARuleDecides) {
    Network net{7};
    FinalState state{net.roster};
    const auto asked = [&](std::uint64_t nonce) {
        Call call{net, *net.signers[0], {0, 1, 2, 3, 4, 5, 6}, 5, nonce};
        call.receipt.request.by_rule = true;
        call.id = call.receipt.request.id(net.roster.chain());
        for (std::uint32_t seat = 0; seat < 7; ++seat)
            call.answered(net, seat, seat < 5 ? "300" : "301");
        return call;
    };
    const Call call = asked(1);
    const auto done = finalise(state, {net.vertex(0, {net.operation(0, call.record())})});
    ASSERT_TRUE(done.operations[0].applied) << done.operations[0].reason;
    const Verdict* verdict = state.court().verdict(call.id);
    ASSERT_NE(verdict, nullptr);
    EXPECT_TRUE(verdict->decided);
    EXPECT_EQ(verdict->agreeing, 5U);
    EXPECT_TRUE(verdict->dissenting.empty());
    const auto opened =
        finalise(state, {net.vertex(0, {net.operation(0, asked(2).record_and_open())})});
    EXPECT_FALSE(opened.operations[0].applied);
    EXPECT_EQ(
        opened.operations[0].reason, "the contract compares by a rule, which digests cannot decide"
    );
    EXPECT_TRUE(opened.opened.empty());
}

}  // namespace
}  // namespace creto
