#include "sim/trace.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

TEST(TraceHash, IsEqualForEqualRunsAndCanBeReadOnTheWay) {
    TraceHash once;
    TraceHash twice;
    for (std::uint32_t i = 0; i < 5'000; ++i) {
        once.add(Instant::from_ns(i), NodeIndex{i % 7}, i % 3, i);
        twice.add(Instant::from_ns(i), NodeIndex{i % 7}, i % 3, i);
        if (i % 97 == 0) {
            EXPECT_EQ(once.digest(), twice.digest());
        }
    }
    EXPECT_EQ(once.digest(), twice.digest());
    EXPECT_EQ(once.count(), 5'000U);
    EXPECT_NE(once.digest(), TraceHash{}.digest());
}

TEST(TraceHash, DependsOnEveryFieldAndOnTheOrder) {
    const auto of = [](std::int64_t at, std::uint32_t node, std::uint32_t kind, std::uint64_t data
                    ) {
        TraceHash trace;
        trace.add(Instant::from_ns(1), NodeIndex{1}, 1, 1);
        trace.add(Instant::from_ns(at), NodeIndex{node}, kind, data);
        return trace.digest();
    };
    const Digest base = of(5, 6, 7, 8);
    EXPECT_EQ(base, of(5, 6, 7, 8));
    EXPECT_NE(base, of(6, 6, 7, 8));
    EXPECT_NE(base, of(5, 7, 7, 8));
    EXPECT_NE(base, of(5, 6, 8, 8));
    EXPECT_NE(base, of(5, 6, 7, 9));
    TraceHash swapped;
    swapped.add(Instant::from_ns(5), NodeIndex{6}, 7, 8);
    swapped.add(Instant::from_ns(1), NodeIndex{1}, 1, 1);
    EXPECT_NE(base, swapped.digest());
}

}  // namespace
}  // namespace creto
