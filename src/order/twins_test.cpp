// Twins: two processes with one key. Each of them is honest; together they are a liar.
#include <gtest/gtest.h>

#include "order/testing/cluster.hpp"

namespace creto::simplex::testing {
namespace {

// Failure 21: a hot spare ran with the same key, made duplicate blocks, and a bug in choosing
// between these stopped the network. Here the others agree and go on, whichever of the twins they
// hear, and a twin that sees the other's vote stops. (rule R2) [ORD-A1.2]
TEST(Twins, ASpareWithTheSameKeyStopsItselfAndNobodyElse) {
    std::size_t stopped = 0;
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        Cluster c{{.n = 4, .seed = seed, .twins = 1}};
        const Index spare = 4;
        for (Index i = 0; i < 4; ++i)
            c.start(i);
        c.run_for(Duration::from_ms(50));
        if (seed % 2 == 0) {
            // The spare starts first with work, and its twin later.
            c.produce(0);
            c.run_for(Duration::from_ms(200));
        }
        c.start(spare);
        while (c.ordering(1).view() < View{200}) {
            c.produce(static_cast<Index>(c.prng().between(1, 3)));
            c.run_for(Duration::from_ms(15));
            ASSERT_LT(c.now().ns(), Duration::from_s(120).ns()) << "seed " << seed;
        }
        for (Index i = 1; i < 4; ++i)
            EXPECT_FALSE(c.ordering(i).halted()) << "seed " << seed;
        for (const Index twin : {Index{0}, spare}) {
            if (!c.ordering(twin).halted()) continue;
            ++stopped;
            EXPECT_NE(c.ordering(twin).halted()->find("same key"), std::string::npos);
        }
        if (::testing::Test::HasFailure()) return;
    }
    EXPECT_GE(stopped, 25U);
}

}  // namespace
}  // namespace creto::simplex::testing
