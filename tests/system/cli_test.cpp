// The command line's contract: help with examples, one JSON document, exit codes.
#include <algorithm>
#include <chrono>
#include <future>
#include <sstream>

#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

std::string joined(const CommandWords& words) {
    std::string out;
    for (const std::string& word : words)
        out += (out.empty() ? "" : " ") + word;
    return out;
}

CommandWords with(CommandWords words, const std::string& last) {
    words.push_back(last);
    return words;
}

struct Explained {
    CommandWords words;  ///< {"state", "get"}
    Said help;
};

/// Every command that does something, found through the help of those above it.
void explain(const CommandWords& path, std::vector<Explained>& out) {
    const Said help = creto(with(path, "--help"));
    std::istringstream lines{help.out};
    bool within = false;
    bool is_leaf = true;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line.front() != ' ' && line.back() == ':') {
            within = line != "Options:" && line != "Positionals:";
        } else if (within && line.rfind("  ", 0) == 0 && line.size() > 2 && line[2] != ' ') {
            is_leaf = false;
            explain(with(path, line.substr(2, line.find(' ', 2) - 2)), out);
        } else if (within && line.empty()) {
            within = false;
        }
    }
    if (is_leaf) out.push_back({path, help});
}

void expect_usage_error(const CommandWords& words) {
    const Said said = creto(with(words, "--json"));
    EXPECT_EQ(said.exit, 2);
    const Json doc = said.json();
    ASSERT_TRUE(doc.is_object()) << said.out;
    EXPECT_EQ(doc["ok"], false);
    EXPECT_EQ(doc["error"]["code"], "invalid");
    EXPECT_FALSE(said.err.empty());
}

TEST(CommandLine, EveryCommandExplainsItselfAndRefusesWrongUse) {
    std::vector<Explained> all;
    explain({}, all);
    EXPECT_GE(all.size(), 25U) << "the commands were not found";
    for (const Explained& one : all) {
        const std::string name = joined(one.words);
        SCOPED_TRACE(name);
        EXPECT_EQ(one.help.exit, 0);
        EXPECT_NE(one.help.out.find("Example: creto " + name), std::string::npos) << one.help.out;
        EXPECT_NE(one.help.out.find("--json"), std::string::npos);
        EXPECT_TRUE(one.help.err.empty()) << one.help.err;
        expect_usage_error(with(one.words, "--no-such-option"));
    }
    for (const CommandWords& words :
         std::vector<CommandWords>{{}, {"no-such-command"}, {"state"}, {"call"}}) {
        SCOPED_TRACE(joined(words));
        expect_usage_error(words);
        const Said plain = creto(words);
        EXPECT_EQ(plain.exit, 2) << plain.out;
        EXPECT_FALSE(plain.err.empty());
    }
}

TEST(CommandLine, ANodeThatDoesNotAnswerIsExitCodeFour) {
    const WorkFolder folder;
    const std::string file = (folder.path() / "file").string();
    ASSERT_TRUE(write_file(file, "bytes"));
    const std::vector<CommandWords> all{
        {"status"},
        {"peers"},
        {"tools"},
        {"roster"},
        {"reputation"},
        {"verdicts"},
        {"log"},
        {"watch"},
        {"call", "add", "{}"},
        {"call", "add", "{}", "--verify"},
        {"state", "get", "final/k"},
        {"state", "set", "final/k", "v"},
        {"state", "add", "causal/k", "1"},
        {"state", "incr", "causal/k"},
        {"state", "insert", "causal/k", "e"},
        {"state", "erase", "causal/k", "e"},
        {"state", "append", "causal/k", "i"},
        {"state", "del", "final/k"},
        {"watch", "--prefix", "causal/"},
        {"submit", file}};
    for (CommandWords words : all) {
        SCOPED_TRACE(joined(words));
        words.insert(words.end(), {"--json", "--node", "/ip4/127.0.0.1/tcp/9"});
        const Said said = creto(words);
        EXPECT_EQ(said.exit, 4) << said.out << said.err;
        EXPECT_EQ(said.json()["error"]["code"], "unavailable") << said.out;
        EXPECT_NE(said.err.find("/ip4/127.0.0.1/tcp/9"), std::string::npos) << said.err;
        EXPECT_NE(said.err.find("is it running?"), std::string::npos) << said.err;
    }
}

TEST(CommandLine, ANodeThatIsNeitherFolderNorAddressIsNotTakenForAnother) {
    for (const char* node : {"127.0.0.1:9001", "no/such/folder", "/etc/hostname"}) {
        const Said said = creto({"status", "--json", "--node", node});
        EXPECT_EQ(said.exit, 2) << said.out << said.err;
        EXPECT_NE(said.err.find(node), std::string::npos) << said.err;
        EXPECT_NE(said.err.find("neither a node's folder nor an admin address"), std::string::npos)
            << said.err;
    }
}

/// Three nodes of which two have tools that deviate.
class CommandLineAtNodes : public ClusterTest {
protected:
    void SetUp() override {
        std::vector<RealNodeOptions> nodes = seats(3);
        nodes[1].drill = "throw";
        nodes[2].drill = "garbage";
        nodes.push_back({.name = "hangs", .drill = "hang", .has_seat = false});
        ASSERT_NO_FATAL_FAILURE(
            make_and_start({.network = "cli", .mode = QuorumMode::crash, .nodes = std::move(nodes)})
        );
        ASSERT_TRUE(knows_tools_of(4, seconds{20}) && reaches(0, 3, seconds{20}))
            << "the nodes do not find each other";
    }
    /// With --json: the exit code and exactly one document.
    Json expect(int exit, CommandWords words) {
        const std::string name = joined(words);
        words.insert(words.end(), {"--json", "--node", cluster_->admin_address(0)});
        const Said said = creto(words);
        EXPECT_EQ(said.exit, exit) << name << "\n" << said.out << said.err;
        Json doc = said.json();
        EXPECT_TRUE(doc.is_object()) << name << " said\n" << said.out;
        if (doc.is_object()) {
            EXPECT_EQ(doc.value("ok", false), exit == 0) << name << said.out;
        }
        return doc;
    }
    Said at(std::uint32_t node, CommandWords words) {
        words.insert(words.end(), {"--json", "--node", cluster_->admin_address(node)});
        return creto(words);
    }
    std::string message(const Json& doc) { return doc["error"].value("message", ""); }
};

// [SESSION.1]
TEST_F(CommandLineAtNodes, ASessionFindsItsWriteAtAnotherNode) {
    for (int i = 1; i <= 10; ++i) {
        const Json written = at(0, {"state", "incr", "causal/n"}).json();
        const Json read =
            at(1, {"state", "get", "causal/n", "--session", written["session"].get<std::string>()})
                .json();
        EXPECT_EQ(read["counter"], i) << read.dump();
    }
    const Said wrong = at(1, {"state", "get", "causal/n", "--session", "abc"});
    EXPECT_NE(wrong.exit, 0);
    EXPECT_NE(wrong.err.find("no session token"), std::string::npos) << wrong.err;
}

TEST_F(CommandLineAtNodes, AWatchShowsChangesOfItsKeys) {
    std::future<Said> watch = std::async(std::launch::async, [&] {
        return at(1, {"watch", "--prefix", "causal/w", "--count", "3"});
    });
    // The watch begins when it begins; what is written until then it does not show.
    const auto deadline = std::chrono::steady_clock::now() + seconds{60};
    while (watch.wait_for(std::chrono::milliseconds{50}) != std::future_status::ready &&
           std::chrono::steady_clock::now() < deadline) {
        EXPECT_EQ(at(0, {"state", "incr", "causal/other"}).exit, 0);
        EXPECT_EQ(at(0, {"state", "incr", "causal/watched", "--path", "f"}).exit, 0);
    }
    const Said said = watch.get();
    EXPECT_EQ(said.exit, 0) << said.err;
    const Json events = said.json()["events"];
    ASSERT_EQ(events.size(), 3U) << said.out;
    std::int64_t before = 0;
    for (const Json& event : events) {
        EXPECT_EQ(event["event"], "key_changed");
        EXPECT_EQ(event["key"], "causal/watched");
        EXPECT_EQ(event["path"], Json({"f"}));
        EXPECT_GT(event["counter"].get<std::int64_t>(), before);
        before = event["counter"].get<std::int64_t>();
    }
}

TEST_F(CommandLineAtNodes, EveryLookAndWriteIsOneDocument) {
    const std::string file = (folder_.path() / "file").string();
    ASSERT_TRUE(write_file(file, std::string("\x00\xFF bytes", 8)));
    for (const CommandWords& words : std::vector<CommandWords>{
             {"status"},
             {"peers"},
             {"tools"},
             {"roster"},
             {"reputation"},
             {"reputation", "--why", "n1"},
             {"verdicts"},
             {"log", "--from", "1", "--count", "2"},
             {"state", "set", "final/k", "v"},
             {"state", "get", "final/k"},
             {"state", "add", "causal/n", "5"},
             {"state", "incr", "causal/n"},
             {"state", "incr", "causal/m", "--path", "a/b"},
             {"state", "set", "causal/m", "v", "--path", "a/c", "--last"},
             {"state", "get", "causal/m"},
             {"state", "del", "causal/m", "--path", "a"},
             {"state", "insert", "causal/s", "e"},
             {"state", "insert", "causal/s", "f"},
             {"state", "erase", "causal/s", "e"},
             {"state", "append", "causal/l", "i"},
             {"submit", file},
             {"watch", "--count", "1"},
             {"state", "del", "final/k"}}) {
        expect(0, words);
    }
    EXPECT_EQ(expect(0, {"state", "get", "causal/n"})["counter"], 6);
    EXPECT_EQ(expect(0, {"state", "get", "causal/s"})["elements"], Json({"f"}));
    EXPECT_EQ(expect(0, {"state", "get", "causal/l"})["items"], Json({"i"}));
    EXPECT_EQ(
        message(expect(1, {"state", "set", "causal/n", "v"})).rfind("causal/n is a counter", 0), 0U
    );
    EXPECT_NE(
        message(expect(1, {"state", "del", "causal/l"})).find("only grows"), std::string::npos
    );
    const Json gone =
        creto({"state", "get", "final/k", "--json", "--node", cluster_->admin_address(0)}).json();
    EXPECT_EQ(gone["found"], false);
    expect(2, {"state", "add", "causal/n", "five"});
    expect(1, {"state", "set", "nowhere/k", "v"});
    expect(1, {"submit", file + ".missing"});
}

TEST_F(CommandLineAtNodes, ToolsThatDeviateAndArgumentsThatAreWrong) {
    const CommandWords good{"call", "add", R"({"a":20,"b":22})", "--agent", "n0"};
    EXPECT_EQ(expect(0, good)["result"], "42");
    // Wrong JSON: what is wrong and where, from the tool's own schema.
    EXPECT_FALSE(message(expect(5, {"call", "add", "{\"a\": 1,", "--agent", "n0"})).empty());
    const std::string lacks = message(expect(5, {"call", "add", R"({"a":1})", "--agent", "n0"}));
    EXPECT_NE(lacks.find("b"), std::string::npos) << lacks;
    const std::string text =
        message(expect(5, {"call", "add", R"({"a":1,"b":"two"})", "--agent", "n0"}));
    EXPECT_NE(text.find("b"), std::string::npos) << text;
    const std::string unknown = message(expect(1, {"call", "no_such_tool", "{}"}));
    EXPECT_NE(unknown.find("no_such_tool"), std::string::npos) << unknown;
    expect(1, {"call", "add", "{}", "--agent", "nobody"});

    const std::string sum = R"({"a":20,"b":22})";
    const std::string thrown = message(expect(5, {"call", "add", sum, "--agent", "n1"}));
    EXPECT_NE(thrown.find("n1"), std::string::npos) << thrown;
    const std::string garbage = message(expect(5, {"call", "add", sum, "--agent", "n2"}));
    EXPECT_NE(garbage.find("n2"), std::string::npos) << garbage;
    const auto begin = std::chrono::steady_clock::now();
    const std::string hung =
        message(expect(4, {"call", "add", sum, "--agent", "hangs", "--timeout", "700"}));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{6});
    EXPECT_NE(hung.find("hangs"), std::string::npos) << hung;
    EXPECT_EQ(expect(0, good)["result"], "42") << "and the mesh goes on";
    for (std::size_t i = 0; i < cluster_->size(); ++i)
        EXPECT_TRUE(cluster_->running(i)) << cluster_->name(i) << " ended";
}

TEST_F(CommandLineAtNodes, WithoutAQuorumIsExitCodeTen) {
    expect(0, {"state", "set", "final/before", "kept"});
    cluster_->kill(1);
    cluster_->kill(2);
    const bool noticed = eventually(
        [&] { return cluster_->ask(0, "status").value("reachable", 0) == 1; }, seconds{10}
    );
    ASSERT_TRUE(noticed);
    for (const CommandWords& words : std::vector<CommandWords>{
             {"state", "set", "final/k", "v"},
             {"state", "add", "final/n", "1"},
             {"state", "del", "final/before"}}) {
        EXPECT_EQ(message(expect(10, words)), "no quorum: 1 of 3 validators reachable, 2 needed");
    }
    EXPECT_EQ(expect(0, {"state", "get", "final/before"})["values"], Json::array({"kept"}));
    expect(0, {"state", "incr", "causal/n"});
}

TEST(CommandLine, CommandsWithoutANodeAreOneDocument) {
    const WorkFolder folder;
    const std::string dir = (folder.path() / "alpha").string();
    const Said made = creto({"init", dir, "--name", "Alpha", "--json"});
    EXPECT_EQ(made.exit, 0) << made.err;
    EXPECT_EQ(made.json()["ok"], true) << made.out;
    const Said again = creto({"init", dir, "--json"});
    EXPECT_EQ(again.exit, 1) << "a second key over the first would be a loss";
    EXPECT_EQ(again.json()["ok"], false) << again.out;
    const Said key = creto({"keygen", dir + "/other", "--json"});
    EXPECT_EQ(key.exit, 0);
    EXPECT_EQ(key.json()["ok"], true);
    for (const char* verb : {"show", "validate"}) {
        const Said without = creto({"config", verb, dir, "--json"});
        EXPECT_EQ(without.exit, 1) << "there is no genesis";
        EXPECT_NE(without.err.find("genesis.json"), std::string::npos) << without.err;
        EXPECT_EQ(without.json()["ok"], false);
    }
    const Said version = creto({"version", "--json"});
    EXPECT_EQ(version.exit, 0);
    EXPECT_EQ(version.json()["ok"], true);
    const Said list = creto({"demo", "--list", "--json"});
    EXPECT_EQ(list.exit, 0);
    EXPECT_EQ(list.json()["scenarios"].size(), 14U);
    const Said sim = creto({"sim", "run", "--scenario", "S1.2", "--json"});
    EXPECT_EQ(sim.exit, 0) << sim.err;
    EXPECT_TRUE(sim.json().is_object()) << sim.out;
    const Said receipt = creto({"receipt", "verify", dir + "/key", "--json"});
    EXPECT_EQ(receipt.exit, 1);
    EXPECT_EQ(receipt.json()["ok"], false) << receipt.out;
}

}  // namespace
}  // namespace creto::system_test
