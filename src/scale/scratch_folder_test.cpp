#include "scale/scratch_folder.hpp"

#include <filesystem>
#include <gtest/gtest.h>

#include "rocks/test_support.hpp"

namespace creto {
namespace {

using testing_support::TestFolder;

TEST(ScratchFolder, GoesAwayWithItsContent) {
    const TestFolder under;
    std::string path;
    {
        const auto made = ScratchFolder::make(under.path()).value();
        path = made->path();
        std::filesystem::create_directories(path + "/a/b");
        EXPECT_TRUE(std::filesystem::exists(path + "/lock"));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ScratchFolder, RemovesWhatAKilledProcessLeftAndNothingElse) {
    const TestFolder under;
    const std::string left = under / "creto-scratch-left";
    const std::string unlocked = under / "creto-scratch-new";  // Its lock is about to appear.
    const std::string other = under / "other";
    for (const std::string& folder : {left, unlocked, other})
        std::filesystem::create_directories(folder);
    testing_support::write_file(left + "/lock", {});
    testing_support::write_file(other + "/lock", {});
    const auto first = ScratchFolder::make(under.path()).value();
    EXPECT_FALSE(std::filesystem::exists(left));
    EXPECT_TRUE(std::filesystem::exists(unlocked));
    EXPECT_TRUE(std::filesystem::exists(other));
    const auto second = ScratchFolder::make(under.path()).value();
    EXPECT_TRUE(std::filesystem::exists(first->path())) << "its owner lives";
}

TEST(ScratchFolder, NoPlaceIsAnAnswerThatSaysWhatToDo) {
    const TestFolder under;
    for (const std::string& place : {under / "nowhere", std::string{"/proc"}}) {
        const auto made = ScratchFolder::make(place);
        ASSERT_FALSE(made.has_value()) << place;
        EXPECT_EQ(made.error().code, ErrorCode::io);
        EXPECT_NE(made.error().message.find(place), std::string::npos) << made.error().message;
        EXPECT_NE(made.error().message.find("TMPDIR"), std::string::npos);
    }
}

}  // namespace
}  // namespace creto
