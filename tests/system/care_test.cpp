// doctor, export and completion, as a user meets them.
#include <fstream>
#include <set>
#include <sstream>
#include <sys/stat.h>

#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

/// The severity and remedy of the first finding of this area whose text holds `what`.
std::string finding(const Json& report, const std::string& area, const std::string& what) {
    for (const Json& one : report["findings"]) {
        if (one["area"] == area && one["what"].get<std::string>().find(what) != std::string::npos) {
            return one["severity"].get<std::string>() + " " + one["remedy"].get<std::string>();
        }
    }
    return "none in " + report.dump(1);
}

Json doctor(
    int exit, const std::filesystem::path& dir, std::map<std::string, std::string> env = {}
) {
    const Said said = creto({"doctor", dir.string(), "--json"}, env);
    EXPECT_EQ(said.exit, exit) << said.out << said.err;
    return said.json();
}

#define EXPECT_FOUND(report, area, what, start) \
    EXPECT_EQ(finding(report, area, what).rfind(start, 0), 0U) << finding(report, area, what)

class Care : public ClusterTest {
protected:
    void start(std::size_t nodes) {
        ASSERT_NO_FATAL_FAILURE(
            make_and_start({.network = "care", .mode = QuorumMode::crash, .nodes = seats(nodes)})
        );
        ASSERT_TRUE(reaches(0, nodes, seconds{20})) << "the nodes do not find each other";
    }
};

TEST_F(Care, DoctorFindsWhatIsWrongWithAFolder) {
    const std::filesystem::path dir = folder_.path() / "alpha";
    EXPECT_FOUND(doctor(1, dir), "folder", "is no node's folder", "problem name one");
    ASSERT_EQ(creto({"init", dir.string(), "--name", "Alpha"}).exit, 0);
    EXPECT_FOUND(doctor(1, dir), "genesis", "genesis.json", "problem get genesis.json");
    const Genesis genesis{
        .network = "doctor",
        .mode = QuorumMode::crash,
        .members = {{Seat{0}, ed25519_public_key(read_key(dir / "key").value()), "Alpha"}}};
    ASSERT_TRUE(write_file(dir / "genesis.json", genesis_json(genesis)));
    // Ports of its own, so that nothing else on this machine is in the way.
    const std::string listen = "/ip4/127.98.7.6/tcp/4001";
    const auto settings = [&](const std::string& more) {
        return write_file(
            dir / "creto.toml",
            "[network]\nlisten = \"" + listen +
                "\"\n[admin]\nlisten = \"/ip4/127.98.7.6/tcp/9001\"\n" + more
        );
    };
    ASSERT_TRUE(settings(""));
    const Json good = doctor(0, dir);
    EXPECT_FOUND(good, "version", "creto ", "ok");
    EXPECT_FOUND(good, "genesis", "this agent has seat 0", "ok");
    // What this machine allows and how fast it is are not ours to expect.
    for (const char* said : {"a synced write takes", "MiB are free"})
        EXPECT_EQ(finding(good, "disk", said).find("none in"), std::string::npos) << said;
    EXPECT_EQ(finding(good, "files", "may open").find("none in"), std::string::npos);
    EXPECT_FOUND(good, "ports", listen + " is free", "ok");
    EXPECT_FOUND(good, "node", "it does not run", "note");

    ASSERT_TRUE(settings("[limits]\ncalls_per_sec = 5\n"));
    EXPECT_FOUND(doctor(1, dir), "settings", "did you mean \"limits.calls_per_s\"?", "problem");
    ASSERT_TRUE(settings(""));
    EXPECT_FOUND(
        doctor(0, dir, {{"CRETO_LOG_LEVLE", "info"}}),
        "settings",
        "is it CRETO_LOG_LEVEL?",
        "warning unset CRETO_LOG_LEVLE"
    );
    ASSERT_EQ(::chmod((dir / "key").c_str(), 0644), 0);
    EXPECT_FOUND(doctor(1, dir), "key", "run: chmod 600", "problem");
    ASSERT_EQ(::chmod((dir / "key").c_str(), 0600), 0);

    // Another node on its admin port.
    start(1);
    EXPECT_FOUND(
        doctor(1, dir, {{"CRETO_ADMIN_LISTEN", cluster_->admin_address(0)}}),
        "ports",
        "another node answers",
        "problem choose another"
    );
    ASSERT_EQ(::chmod((cluster_->folder(0) / "key").c_str(), 0640), 0);
    const Json running =
        doctor(1, cluster_->folder(0), {{"CRETO_ADMIN_LISTEN", cluster_->admin_address(0)}});
    EXPECT_FOUND(running, "key", "run: chmod 600", "problem");
    EXPECT_FOUND(running, "node", "it runs", "ok");
    EXPECT_FOUND(
        doctor(1, dir, {{"CRETO_NETWORK_LISTEN", cluster_->direct_address(0)}}),
        "ports",
        "cannot be used",
        "problem end what listens there"
    );
}

TEST_F(Care, DoctorFindsWhatIsWrongWithARunningNode) {
    start(3);
    const auto look = [&](int exit) {
        return doctor(
            exit, cluster_->folder(0), {{"CRETO_ADMIN_LISTEN", cluster_->admin_address(0)}}
        );
    };
    const Json good = look(0);
    EXPECT_FOUND(good, "node", "it runs", "ok");
    EXPECT_FOUND(good, "peers", "3 of 3 validators are reachable, 2 decide", "ok");
    EXPECT_FOUND(good, "lag", "nothing is held up", "ok");
    const auto reaches = [&](std::size_t count) {
        return eventually(
            [&] { return cluster_->ask(0, "status").value("reachable", std::size_t{0}) == count; },
            seconds{20}
        );
    };
    cluster_->kill(2);
    ASSERT_TRUE(reaches(2));
    EXPECT_FOUND(look(0), "peers", "2 of 3", "warning see that these run");
    EXPECT_NE(finding(look(0), "peers", "2 of 3").find("n2 /ip4/"), std::string::npos);
    cluster_->kill(1);
    ASSERT_TRUE(reaches(1));
    EXPECT_FOUND(look(1), "peers", "nothing becomes final", "problem");
}

TEST_F(Care, AnExportHoldsOfflineAndNotWhenChanged) {
    start(3);
    const std::string node = cluster_->folder(1).string();
    const std::string file = (folder_.path() / "chain.json").string();
    for (const char* value : {"one", "two", "three"}) {
        const Json done = cluster_->ask(
            1, "write", {{"key", "final/k"}, {"value", value}, {"timeout_ms", 20'000}}
        );
        ASSERT_TRUE(ok(done)) << done;
    }
    const auto height = cluster_->ask(1, "status")["finalized"].get<std::uint64_t>();
    const auto verify = [&](int exit) {
        const Said said =
            creto({"export", "verify", file, "--genesis", node + "/genesis.json", "--json"});
        EXPECT_EQ(said.exit, exit) << said.out << said.err;
        return said.json();
    };
    // The node runs on while its folder is read.
    for (const char* format : {"json", "jsonl"}) {
        Said said;
        const bool written = eventually(
            [&] {
                said = creto({"export", file, "--node", node, "--format", format, "--json"});
                // What the node has just made final may not have reached the files yet.
                return said.exit == 0 && said.json()["to"].get<std::uint64_t>() >= height;
            },
            seconds{20}
        );
        ASSERT_TRUE(written) << said.out << said.err;
        const Json facts = verify(0);
        EXPECT_EQ(facts["from"], 1);
        EXPECT_EQ(facts["to"], said.json()["to"]);
        EXPECT_EQ(facts["state_checked"], true);
        EXPECT_GE(facts["signed_by"], 2);
        EXPECT_GE(facts["operations"], 3);
    }
    ASSERT_EQ(creto({"export", file, "--node", node}).exit, 0);
    const Json whole = Json::parse(read_file(file, 64U << 20U).value());
    const auto refuted = [&](Json doc, const std::string& why) {
        ASSERT_TRUE(write_file(file, doc.dump()));
        const std::string said = verify(11)["error"].value("message", "");
        EXPECT_NE(said.find(why), std::string::npos) << said;
    };
    std::size_t written = 0;  // A block with an operation of ours.
    while (whole["blocks"][written].dump().find("\"set\":\"two\"") == std::string::npos)
        ASSERT_LT(++written, whole["blocks"].size());
    Json forged = whole;
    std::string text = forged["blocks"][written].dump();
    text.replace(text.find("\"set\":\"two\""), 11, "\"set\":\"ten\"");
    forged["blocks"][written] = Json::parse(text);
    refuted(forged, "what is shown is not what the bytes say");
    forged = whole;
    forged["blocks"].erase(written);
    refuted(forged, "does not continue the block before it");
    forged = whole;
    forged["blocks"][written]["vertices"].erase(0);
    refuted(forged, "are not those of the cut");
    forged = whole;
    forged["blocks"].back().erase("finalization");
    refuted(forged, "no certificate finalises the last block");
    forged = whole;
    forged["chain"] = std::string(64, '0');
    refuted(forged, "another network");

    // A part of it.
    const Said part = creto(
        {"export", file, "--node", node, "--from", "2", "--to", std::to_string(height), "--json"}
    );
    ASSERT_EQ(part.exit, 0) << part.err;
    const Json facts = verify(0);
    EXPECT_EQ(facts["from"], 2);
    EXPECT_EQ(facts["state_checked"], false);
    const Said never = creto({"export", file, "--node", node, "--from", "1000000", "--json"});
    EXPECT_EQ(never.exit, 1);
    EXPECT_NE(never.err.find("are not final here"), std::string::npos) << never.err;
    EXPECT_EQ(creto({"export", "--json"}).exit, 2);
}

/// What bash offers for the begun line, through the real script.
std::set<std::string> offered(const CommandWords& words) {
    std::string line;
    for (const std::string& word : words)
        line += " '" + word + "'";
    const std::string script = "set -u; source <('" + program().string() +
                               "' completion bash); COMP_WORDS=('" + program().string() + "'" +
                               line + "); COMP_CWORD=" + std::to_string(words.size()) +
                               "; _creto; printf '%s\\n' \"${COMPREPLY[@]-}\"";
    const Said said = run({"/bin/bash", "--norc", "-c", script});
    EXPECT_EQ(said.exit, 0) << said.err;
    EXPECT_EQ(said.err, "");
    std::set<std::string> out;
    std::istringstream in{said.out};
    for (std::string word; std::getline(in, word);)
        if (!word.empty()) out.insert(word);
    return out;
}

TEST(Completion, BashCompletesFromTheTree) {
    using Offer = std::set<std::string>;
    EXPECT_EQ(offered({"clu"}), Offer{"cluster"});
    EXPECT_EQ(offered({"cluster", "st"}), (Offer{"start", "status"}));
    EXPECT_EQ(offered({"cluster", "up", "--quorum", ""}), (Offer{"byzantine", "crash"}));
    EXPECT_EQ(offered({"cluster", "up", "--quorum", "c"}), Offer{"crash"});
    EXPECT_EQ(offered({"cluster", "up", "--di"}), Offer{"--dir"});
    EXPECT_EQ(offered({"completion", "z"}), Offer{"zsh"});
    EXPECT_EQ(offered({"call", "add", "{}", "--ver"}), Offer{"--verify"});
    EXPECT_EQ(offered({"init", "x"}), Offer{});
    // Every command that the help shows, and no other.
    std::set<std::string> shown;
    std::istringstream help{creto({"--help"}).out};
    bool within = false;
    for (std::string line; std::getline(help, line);) {
        if (!line.empty() && line.front() != ' ' && line.back() == ':') within = line != "Options:";
        if (within && line.rfind("  ", 0) == 0 && line.size() > 2 && line[2] != ' ')
            shown.insert(line.substr(2, line.find(' ', 2) - 2));
    }
    EXPECT_GE(shown.size(), 20U);
    EXPECT_EQ(offered({""}), shown);
    for (const char* shell : {"bash", "zsh", "fish"}) {
        const Said said = creto({"completion", shell, "--json"});
        EXPECT_EQ(said.exit, 0);
        EXPECT_NE(said.json()["script"].get<std::string>().find("complete --"), std::string::npos);
    }
}

TEST(Suggestions, NameTheNearestWord) {
    const auto message = [](const CommandWords& words) { return creto(words).err; };
    EXPECT_EQ(
        message({"statsu"}),
        "creto: creto has no command \"statsu\"; did you mean \"status\"? See `creto --help`\n"
    );
    EXPECT_NE(message({"state", "gte", "k"}).find("did you mean \"get\"?"), std::string::npos);
    EXPECT_NE(
        message({"call", "add", "--verfy"}).find("did you mean \"--verify\"?"), std::string::npos
    );
    EXPECT_EQ(message({"state", "--json"}).find("has no option"), std::string::npos);
    EXPECT_NE(message({"state", "get"}).find("`creto state get --help`"), std::string::npos);
    EXPECT_EQ(message({"xyzzy"}), "creto: creto has no command \"xyzzy\"; see `creto --help`\n");
}

}  // namespace
}  // namespace creto::system_test
