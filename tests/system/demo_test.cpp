// `creto demo` as people and scripts use it: one document, and nothing left behind by Ctrl-C.
#include <signal.h>

#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "base/prng.hpp"
#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

/// Processes of ours: children inherit the mark in their environment.
std::vector<std::string> processes_with(const std::string& mark) {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        const std::string pid = entry.path().filename();
        if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream in{entry.path() / "environ", std::ios::binary};
        std::stringstream environment;
        environment << in.rdbuf();
        // A dead process that nobody has waited for yet has an empty environment.
        if (environment.str().find(mark) != std::string::npos) out.push_back(pid);
    }
    return out;
}

/// Listening sockets on the loopback network that the clusters of process `pid` use.
std::size_t listeners_of(pid_t pid) {
    const unsigned second = 16 + static_cast<unsigned>(pid) % 200;
    std::ifstream in{"/proc/net/tcp"};
    std::size_t count = 0;
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        std::istringstream fields{line};
        std::string number;
        std::string local;
        std::string remote;
        std::string state;
        fields >> number >> local >> remote >> state;
        const unsigned long address = std::stoul(local.substr(0, 8), nullptr, 16);
        const bool ours = (address & 0xFFU) == 127 && (address >> 8U & 0xFFU) == second;
        if (ours && state == "0A") ++count;
    }
    return count;
}

TEST(Demo, PrintsExactlyOneDocument) {
    const WorkFolder folder;
    const std::map<std::string, std::string> environment{{"TMPDIR", folder.path().string()}};
    const Said said = creto({"demo", "S1.2", "S1.5", "--json"}, environment, seconds{120});
    EXPECT_EQ(said.exit, 0) << said.err;
    const Json doc = said.json();
    ASSERT_TRUE(doc.is_object()) << said.out;
    EXPECT_EQ(doc["status"], "PASSED");
    EXPECT_EQ(doc["runs"].size(), 2U);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the demo left a folder";

    const Said unknown = creto({"demo", "S9.9", "--json"}, environment);
    EXPECT_EQ(unknown.exit, 2);
    EXPECT_EQ(unknown.json()["ok"], false);
    EXPECT_NE(unknown.err.find("creto demo --list"), std::string::npos) << unknown.err;
}

TEST(Demo, CtrlCLeavesNoProcessAndNoPortBehind) {
    const std::uint64_t seed = number_from("CRETO_DEMO_SEED", std::random_device{}());
    std::cout << "CRETO_DEMO_SEED=" << seed << std::endl;
    // Whom a shell starts in the background ignores it, and would hand that on to the demo: a signal that
    // comes before the demo takes care of it would be lost.
    ::signal(SIGINT, SIG_DFL);
    Prng prng{seed};
    std::vector<std::pair<int, std::uint64_t>> moments{
        {SIGINT, 60}, {SIGINT, 250}, {SIGTERM, 800}, {SIGINT, 2'500}, {SIGINT, 3'500}};
    for (int i = 0; i < 5; ++i)
        moments.emplace_back(SIGINT, prng.below(3'000));
    std::size_t ended_midway = 0;
    for (const auto& [number, ms] : moments) {
        SCOPED_TRACE("signal " + std::to_string(number) + " after " + std::to_string(ms) + " ms");
        const WorkFolder folder;
        const std::string mark = "CRETO_SYSTEM_TEST_MARK=" + std::to_string(seed) + "-" +
                                 std::to_string(::getpid()) + "-" + std::to_string(ms);
        const std::size_t equals = mark.find('=');
        auto demo = Process::start(
            {program().string(), "demo", "S3.4", "S1.1", "S3.1"},
            folder.path() / "out",
            folder.path() / "err",
            {{"TMPDIR", folder.path().string()}, {mark.substr(0, equals), mark.substr(equals + 1)}}
        );
        ASSERT_TRUE(demo) << demo.error().message;
        const pid_t pid = demo->pid();
        // The first moments may come before the program has even begun to handle signals.
        std::this_thread::sleep_for(milliseconds{ms});
        const bool worked = processes_with(mark).size() > 1;
        ended_midway += worked ? 1 : 0;
        demo->signal(number);
        const auto exit = demo->wait(seconds{10});
        ASSERT_TRUE(exit) << "it did not end";
        EXPECT_EQ(*exit, 128 + number);
        const bool gone = eventually([&] { return processes_with(mark).empty(); }, seconds{5});
        EXPECT_TRUE(gone) << processes_with(mark).size() << " processes are left";
        EXPECT_EQ(listeners_of(pid), 0U) << "somebody still listens";
        for (const auto& entry : std::filesystem::directory_iterator{folder.path()}) {
            const std::string name = entry.path().filename();
            EXPECT_TRUE(name == "out" || name == "err") << name << " is left";
        }
    }
    EXPECT_GE(ended_midway, 2U) << "no signal came while nodes ran: the test shows nothing";
}

}  // namespace
}  // namespace creto::system_test
