#include "sim/life/probes.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <sstream>

#include "sim/life/life.hpp"
#include "sim/life/swarm.hpp"

namespace creto {
namespace {

/// All that `name` finds in a source of node/, after "node.".
std::set<std::string> found_in(const std::string& file, const std::string& name) {
    std::ifstream source{CRETO_SOURCE_DIR "/src/node/" + file};
    std::ostringstream read;
    read << source.rdbuf();
    const std::string text = read.str();
    std::set<std::string> out;
    const std::regex pattern{name};
    for (std::sregex_iterator at{text.begin(), text.end(), pattern}, end; at != end; ++at)
        out.insert("node." + (*at)[1].str());
    return out;
}

/// What nodes count, by the text of the table of names and of the status.
std::set<std::string> counted_in_sources() {
    std::set<std::string> out = found_in("counts.hpp", R"re("([a-z_]+)")re");
    out.merge(found_in("node.cpp", R"re(counters\["([a-z_]+)"\])re"));
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
