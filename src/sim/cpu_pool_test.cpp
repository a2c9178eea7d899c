#include "sim/cpu_pool.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

Instant ms(std::int64_t count) {
    return Instant{} + Duration::from_ms(count);
}

TEST(CpuPool, ServesTwoAtOnceAndTheThirdAfterThem) {
    CpuPool pool{2};
    EXPECT_EQ(pool.run(ms(0), Duration::from_ms(10)), ms(10));
    EXPECT_EQ(pool.run(ms(1), Duration::from_ms(4)), ms(5));
    EXPECT_EQ(pool.run(ms(2), Duration::from_ms(3)), ms(8));  // From 5 on.
    EXPECT_EQ(pool.run(ms(50), Duration::from_ms(1)), ms(51));
    EXPECT_EQ(pool.busy(), Duration::from_ms(18));
}

TEST(CpuPool, WithoutServersNobodyWaits) {
    CpuPool pool{0};
    EXPECT_FALSE(pool.is_shared());
    EXPECT_EQ(pool.run(ms(0), Duration::from_ms(10)), ms(10));
    EXPECT_EQ(pool.run(ms(0), Duration::from_ms(10)), ms(10));
}

}  // namespace
}  // namespace creto
