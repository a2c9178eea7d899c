#include "order/executed.hpp"

#include <gtest/gtest.h>

namespace creto::simplex {
namespace {

using Agreement = ExecutedMarks::Agreement;

ExecutedMark mark(std::uint64_t height, const char* root) {
    return {Height{height}, blake3(as_bytes(root)), blake3(as_bytes("order"))};
}

// [ORD-M2.1]
TEST(ExecutedMarks, AgreesOnlyWithWhatWasExecutedHere) {
    ExecutedMarks marks;
    EXPECT_EQ(marks.compare(ExecutedMark{}), Agreement::equal);
    EXPECT_EQ(marks.compare(mark(1, "a")), Agreement::unknown);
    EXPECT_TRUE(marks.add_own(mark(1, "a")));
    EXPECT_EQ(marks.compare(mark(1, "a")), Agreement::equal);
    EXPECT_EQ(marks.compare(mark(1, "b")), Agreement::different);
    ExecutedMark other_order = mark(1, "a");
    other_order.order_digest = {};
    EXPECT_EQ(marks.compare(other_order), Agreement::different);
    EXPECT_EQ(marks.highest(), Height{1});
}

TEST(ExecutedMarks, TheGenesisStateMayBeReported) {
    ExecutedMarks marks;
    EXPECT_TRUE(marks.add_own(mark(0, "genesis")));
    EXPECT_EQ(marks.compare(mark(0, "genesis")), Agreement::equal);
    EXPECT_EQ(marks.compare(ExecutedMark{}), Agreement::different);
}

// [ORD-M3.1]
TEST(ExecutedMarks, FindsADivergenceInEitherOrder) {
    ExecutedMarks first_own;
    EXPECT_TRUE(first_own.add_own(mark(1, "a")));
    EXPECT_TRUE(first_own.add_final(mark(1, "a")));
    EXPECT_FALSE(first_own.add_final(mark(1, "b")));
    ExecutedMarks first_final;
    EXPECT_TRUE(first_final.add_final(mark(1, "a")));
    EXPECT_TRUE(first_final.add_final(mark(2, "b")));
    EXPECT_TRUE(first_final.add_own(mark(1, "a")));
    EXPECT_FALSE(first_final.add_own(mark(2, "c")));
}

TEST(ExecutedMarks, ForgetsBelowButNeverItsHighest) {
    ExecutedMarks marks;
    for (std::uint64_t h = 1; h <= 100; ++h)
        EXPECT_TRUE(marks.add_own(mark(h, "a")));
    marks.forget_below(Height{90});
    EXPECT_EQ(marks.held(), 11U);
    EXPECT_EQ(marks.at(Height{90}), mark(90, "a"));
    EXPECT_EQ(marks.compare(mark(89, "a")), Agreement::unknown);
    EXPECT_TRUE(marks.add_final(mark(50, "a"))) << "long settled";
    EXPECT_EQ(marks.held(), 11U);
    marks.forget_below(Height{500});
    EXPECT_EQ(marks.highest(), Height{100});
}

}  // namespace
}  // namespace creto::simplex
