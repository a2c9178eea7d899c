#include "base/shared.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace creto {
namespace {

TEST(Shared, BehavesAsTheValueThatItHolds) {
    const Shared<std::string> text{std::string{"text"}};
    const Shared<std::string> copy = text;
    EXPECT_EQ(&*copy, &*text) << "one object";
    EXPECT_EQ(text, Shared<std::string>{std::string{"text"}});
    EXPECT_FALSE(text == Shared<std::string>{std::string{"other"}});
    EXPECT_EQ(text->size(), 4U);
    EXPECT_TRUE(Shared<std::string> {} -> empty());
    std::size_t bytes = 0;
    for (const std::string& each : std::vector{text, copy})
        bytes += each.size();
    EXPECT_EQ(bytes, 8U);
}

}  // namespace
}  // namespace creto
