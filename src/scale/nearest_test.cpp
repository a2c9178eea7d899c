#include "scale/nearest.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

TEST(Nearest, NamesTheWordThatWasMeantOrNone) {
    const std::vector<std::string> known{"status", "state", "peers"};
    EXPECT_EQ(nearest("statsu", known, 2), "status");
    EXPECT_EQ(nearest("stat", known, 2), "state");
    EXPECT_EQ(nearest("peer", known, 2), "peers");
    EXPECT_EQ(nearest("receipt", known, 2), std::nullopt);
    EXPECT_EQ(nearest("x", {}, 2), std::nullopt);
}

}  // namespace
}  // namespace creto
