#include "sim/life/probes.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <sstream>

#include "sim/life/life.hpp"
#include "sim/life/swarm.hpp"

namespace creto {
namespace {

/// What the sources of node/ count, by their own text.
std::set<std::string> counted_in_sources() {
    std::set<std::string> out;
    const std::regex name{R"re(count\("([a-z_]+)"\)|counters\["([a-z_]+)"\])re"};
    for (const auto& entry : std::filesystem::directory_iterator{CRETO_SOURCE_DIR "/src/node"}) {
        const std::string path = entry.path().string();
        if (entry.path().extension() != ".cpp" || path.ends_with("_test.cpp")) continue;
        std::ifstream file{path};
        std::ostringstream read;
        read << file.rdbuf();
        const std::string text = read.str();
        for (std::sregex_iterator at{text.begin(), text.end(), name}, end; at != end; ++at)
            out.insert("node." + ((*at)[1].matched ? (*at)[1].str() : (*at)[2].str()));
    }
    return out;
}

TEST(Probes, AreSortedAndKnowAllThatNodesCount) {
    const auto known = known_probes();
    EXPECT_TRUE(std::is_sorted(known.begin(), known.end()));
    EXPECT_EQ(std::adjacent_find(known.begin(), known.end()), known.end());
    std::set<std::string> of_nodes;
    for (const std::string_view name : known)
        if (name.starts_with("node.")) of_nodes.emplace(name);
    EXPECT_EQ(of_nodes, counted_in_sources());
}

TEST(Probes, OfALifeAreKnown) {
    const auto known = known_probes();
    for (const std::uint64_t seed : {1, 2, 3})
        for (const auto& [name, count] : live(make_schedule(seed)).probes) {
            EXPECT_TRUE(std::binary_search(known.begin(), known.end(), name)) << name;
            EXPECT_GT(count, 0U);
        }
}

}  // namespace
}  // namespace creto
