#include "scale/config.hpp"

#include <unistd.h>

#include <fstream>
#include <gtest/gtest.h>

namespace creto {
namespace {

class GenesisFile : public testing::Test {
protected:
    GenesisFile() {
        genesis_.network = "test";
        TagScheme scheme;
        for (std::uint8_t i = 0; i < 4; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed[0] = static_cast<std::uint8_t>(i + 1);
            genesis_.members.push_back(
                {Seat{i}, scheme.signer(KeySeed{seed})->public_key(), "s" + std::to_string(i)}
            );
        }
    }
    void TearDown() override { std::filesystem::remove(file_); }

    Result<Genesis> read(const std::string& text) {
        std::ofstream{file_} << text;
        return read_genesis(file_);
    }
    /// What is said of the good file with one text in it replaced.
    std::string refusal(const std::string& old, const std::string& now) {
        std::string text = genesis_json(genesis_);
        const auto at = text.find(old);
        EXPECT_NE(at, std::string::npos) << old;
        const auto read_back = read(text.replace(at, old.size(), now));
        if (read_back) return "accepted";
        const std::string& said = read_back.error().message;
        EXPECT_EQ(said.rfind(file_.string() + ": ", 0), 0U) << said;
        return said.substr(std::min(said.size(), file_.string().size() + 2));
    }

    Genesis genesis_;
    std::filesystem::path file_ = std::filesystem::temp_directory_path() /
                                  ("creto-genesis-" + std::to_string(getpid()) + ".json");
};

TEST_F(GenesisFile, IsReadAsItWasWritten) {
    genesis_.mode = QuorumMode::crash;
    genesis_.view_interval_ms = 7;
    genesis_.term_views = 8;
    const auto back = read(genesis_json(genesis_));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(genesis_json(*back), genesis_json(genesis_));
    EXPECT_EQ(back->term_views, 8U);
}

TEST_F(GenesisFile, IsRefusedWhereItCouldBeMisunderstood) {
    genesis_.term_views = 8;
    EXPECT_EQ(
        refusal("\"term_views\"", "\"term_view\""),
        "there is no field \"term_view\"; did you mean \"term_views\"?"
    );
    const std::string whole = "term_views must be a whole number, 0 to 4294967295";
    for (const char* value : {"8.5", "-8", "\"8\"", "null", "4294967296"})
        EXPECT_EQ(refusal("views\": 8", std::string{"views\": "} + value), whole) << value;
    EXPECT_EQ(
        refusal("views\": 8", "views\": 3"),
        "genesis: a term of 3 views; it takes a power of two, up to 32"
    );
    EXPECT_EQ(refusal("\"byzantine\"", "\"byzantin\""), "mode must be byzantine or crash");
    EXPECT_EQ(refusal("\"network\": \"test\",", ""), "network must be a text");
    EXPECT_EQ(
        refusal("\"seat\": 0", "\"seat\": -1"),
        "members/0/seat must be a whole number, 0 to 4294967295"
    );
    EXPECT_EQ(
        refusal("\"name\": \"s1\"", "\"nmae\": \"s1\""),
        "there is no field \"members/1/nmae\"; did you mean \"name\"?"
    );
    EXPECT_EQ(refusal("\"members\": [", "\"members\": [7, "), "members/0 is not an object");
    EXPECT_EQ(read("{}").error().message, file_.string() + ": network must be a text");
    EXPECT_EQ(read("[]").error().message, file_.string() + ": it is not a JSON object");
}

}  // namespace
}  // namespace creto
