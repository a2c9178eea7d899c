#include "ops/event_ring.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

Notice change(const std::string& key) {
    return KeyChanged{key, {}, KeyReply{.found = true, .values = {}, .counter = 1}};
}

TEST(EventRing, ShowsAWatcherItsKeysAndOthersEverythingElse) {
    EventRing ring{10};
    ring.add(change("causal/a"));
    ring.add(Halted{"why"});
    ring.add(change("causal/b"));
    ring.add(change("causal/ab"));
    const JsonDoc a = ring.after(0, "causal/a");
    ASSERT_EQ(a["events"].size(), 2U);
    EXPECT_EQ(a["events"][0]["key"], "causal/a");
    EXPECT_EQ(a["events"][1]["key"], "causal/ab");
    EXPECT_EQ(a["next"], 4U);
    EXPECT_FALSE(a.contains("lost"));
    EXPECT_EQ(ring.after(1, "causal/a")["events"].size(), 1U);
    const JsonDoc other = ring.after(0, std::nullopt);
    ASSERT_EQ(other["events"].size(), 1U);
    EXPECT_EQ(other["events"][0]["event"], "halted");
}

TEST(EventRing, TellsASlowWatcherHowManyItLost) {
    EventRing ring{3};
    for (int i = 0; i < 3; ++i)
        ring.add(change("causal/a"));
    EXPECT_FALSE(ring.after(0, "causal/").contains("lost"));
    ring.add(change("causal/a"));
    ring.add(change("causal/a"));
    const JsonDoc slow = ring.after(1, "causal/");
    EXPECT_EQ(slow["lost"], 1U) << "of five the second; it holds the last three";
    EXPECT_EQ(slow["events"].size(), 3U);
    EXPECT_FALSE(ring.after(2, "causal/").contains("lost"));
    EXPECT_TRUE(ring.after(ring.newest(), "causal/")["events"].empty());
    ring.add(ChangesLost{7});
    EXPECT_EQ(ring.after(5, "causal/")["events"][0]["count"], 7U) << "the node itself was too slow";
}

}  // namespace
}  // namespace creto
