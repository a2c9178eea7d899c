#include "rocks/data_folder.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "rocks/test_support.hpp"
#include "store/commit.hpp"
#include "store/journal.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

using namespace testing_support;

DataFolder open_folder(const std::string& dir) {
    auto folder = DataFolder::open({.dir = dir});
    EXPECT_TRUE(folder.has_value()) << folder.error().message;
    return folder ? std::move(*folder) : DataFolder{};
}
/// The n-th turn: a body and the vote that rests on it.
std::vector<Persist> turn(std::uint64_t n) {
    return {
        {Ticket{n},
         {{Column::blocks, keys::number(n), share(Bytes(200, static_cast<std::uint8_t>(n)))}},
         {keys::number(n)},
         Durable::yes}};
}

TEST(DataFolder, AMissingVoteLogIsALossOnlyAfterTheFirstVote) {
    const TestFolder dir;
    const std::string votes = DataFolder::votes_path(dir.path());
    (void)open_folder(dir.path());
    std::filesystem::remove(votes);
    {
        const DataFolder folder = open_folder(dir.path());
        EXPECT_TRUE(folder.votes->read()->intact) << "it has never voted";
        ASSERT_TRUE(commit(*folder.store, *folder.votes, turn(1)));
    }
    std::filesystem::remove(votes);
    const DataFolder folder = open_folder(dir.path());
    EXPECT_FALSE(folder.votes->read()->intact);
}

TEST(DataFolder, NoVoteWithoutItsBodyWhenKilledAtAnyMoment) {
    const TestFolder dir;
    Prng prng{5};
    std::uint64_t acknowledged = 0;
    for (int round = 0; round < 5; ++round) {
        Child child{"DataFolderChild.DISABLED_CommitsUntilKilled", dir.path()};
        for (std::uint64_t until = acknowledged + prng.below(60); acknowledged < until;) {
            const auto line = told(child);
            ASSERT_TRUE(line.has_value()) << child.rest();
            acknowledged = std::stoull(*line);
        }
        child.kill();
        while (const auto line = told(child))
            acknowledged = std::stoull(*line);
        const DataFolder folder = open_folder(dir.path());
        auto votes = folder.votes->read();
        ASSERT_TRUE(votes.has_value() && votes->intact);
        journal::drop_batches(*votes);
        ASSERT_GE(votes->records.size(), acknowledged);
        for (const Bytes& vote : votes->records)
            ASSERT_TRUE(folder.store->get(Column::blocks, vote).value().has_value());
        acknowledged = votes->records.size();
    }
    EXPECT_GT(acknowledged, 20U);
}

TEST(DataFolderChild, DISABLED_CommitsUntilKilled) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by other tests";
    const DataFolder folder = open_folder(child_argument());
    auto votes = folder.votes->read().value();
    journal::drop_batches(votes);
    for (std::uint64_t n = votes.records.size() + 1;; ++n) {
        ASSERT_TRUE(commit(*folder.store, *folder.votes, turn(n)));
        tell(std::to_string(n));
    }
}

}  // namespace
}  // namespace creto
