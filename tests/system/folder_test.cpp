// A node's folder that is wrong, damaged, taken, or cannot be written: what, where, what to do.
#include <unistd.h>

#include <fstream>

#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

namespace fs = std::filesystem;

constexpr auto folder_patience = seconds{20};

/// One node that is its own quorum, with one value written and the node stopped in good order.
class Folder : public ClusterTest {
protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(
            make({.network = "folder", .mode = QuorumMode::crash, .nodes = seats(1)})
        );
        start();
        for (int i = 0; i < 20; ++i) {
            const Json written = cluster_->ask(
                0,
                "write",
                {{"key", "final/k" + std::to_string(i)}, {"value", "v"}, {"timeout_ms", 10'000}}
            );
            ASSERT_TRUE(ok(written)) << written.dump();
        }
    }
    void start() {
        auto started = cluster_->start(0);
        ASSERT_TRUE(started) << started.error().message;
    }
    void stop() { ASSERT_TRUE(cluster_->terminate(0)); }
    [[nodiscard]] fs::path dir() const { return cluster_->folder(0); }
    [[nodiscard]] bool kept() {
        const Json read = cluster_->ask(0, "read", {{"key", "final/k19"}});
        return ok(read) && read["values"] == Json::array({"v"});
    }
    /// It ends at once, with this code, one document, and every one of these words on stderr.
    void expect_refused(
        int exit, const std::vector<std::string>& words, const fs::path& folder, const Said& said
    ) {
        SCOPED_TRACE(folder.string());
        EXPECT_EQ(said.exit, exit) << said.err;
        const Json doc = said.json();
        ASSERT_TRUE(doc.is_object()) << said.out;
        EXPECT_EQ(doc["ok"], false);
        for (const std::string& word : words)
            EXPECT_NE(said.err.find(word), std::string::npos) << "no " << word << " in\n"
                                                              << said.err;
        EXPECT_EQ(said.err.find("terminate called"), std::string::npos) << said.err;
        EXPECT_EQ(said.err.find("ERROR: "), std::string::npos) << said.err;
    }
    static Said run_node(const fs::path& folder) {
        return creto({"run", folder.string(), "--json"}, {}, folder_patience);
    }
    /// Another folder with the same genesis, for a node beside.
    fs::path beside(const std::string& toml) {
        const fs::path other = folder_.path() / "beside";
        EXPECT_EQ(
            creto({"init", other.string(), "--genesis", (dir() / "genesis.json").string()}).exit, 0
        );
        EXPECT_TRUE(write_file(other / "creto.toml", toml));
        return other;
    }
    static void overwrite(const fs::path& file, std::streamoff at, const std::string& bytes) {
        std::fstream out{file, std::ios::in | std::ios::out | std::ios::binary};
        out.seekp(at);
        out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        ASSERT_TRUE(out.good()) << file;
    }
    /// Runs a node where the folder cannot be written; needs a mount namespace of its own.
    static Said run_read_only(const fs::path& folder) {
        const std::string mount =
            "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && "
            "exec \"$1\" run \"$0\" --json";
        return run(
            {"/usr/bin/unshare", "-m", "/bin/sh", "-c", mount, folder.string(), program().string()},
            {},
            folder_patience
        );
    }
    static bool may_mount() { return run({"/usr/bin/unshare", "-m", "/bin/true"}).exit == 0; }
};

TEST_F(Folder, TakenByAnotherProcess) {
    const Said said = run_node(dir());
    expect_refused(1, {dir().string(), "another creto process", "stop it"}, dir(), said);
    EXPECT_TRUE(kept()) << "the first one goes on";
}

TEST_F(Folder, APortInUse) {
    const std::string taken = cluster_->direct_address(0);
    fs::path other = beside(
        "[network]\nlisten = \"" + taken +
        "\"\n[admin]\nlisten = "
        "\"/ip4/127.0.0.1/tcp/0\"\n"
    );
    expect_refused(1, {taken, "in use", "listen", "creto.toml"}, other, run_node(other));
    const std::string admin = cluster_->admin_address(0);
    EXPECT_TRUE(write_file(
        other / "creto.toml",
        "[network]\nlisten = \"/ip4/127.0.0.1/tcp/0\"\n[admin]\nlisten = \"" + admin + "\"\n"
    ));
    expect_refused(1, {admin, "in use", "admin.listen", "creto.toml"}, other, run_node(other));
    EXPECT_TRUE(kept());
}

TEST_F(Folder, SettingsThatAreWrong) {
    const fs::path other = beside("");
    const std::string file = (other / "creto.toml").string();
    struct Case {
        std::string toml;
        std::vector<std::string> words;
    };
    for (const Case& one : std::vector<Case>{
             {"[network]\n\nlisten_on = \"x\"\n", {file + ":3", "network.listen_on"}},
             {"[network]\nlisen = \"x\"\n", {file + ":2", "network.lisen", "\"network.listen\"?"}},
             {"[netwrk]\nlisten = \"x\"\n", {file + ":2", "netwrk.listen", "\"network.listen\"?"}},
             {"[tools]\nworkers = \"two\"\n", {file + ":2", "tools.workers", "from 1 to 64"}},
             {"[tools]\nworkers = 65\n", {file + ":2", "tools.workers", "from 1 to 64"}},
             {"listen = \"x\"\n", {file + ":1", "outside of any [section]"}},
             {"[log]\nlevel = \"loud\"\n", {file + ":2", "log.level", "trace, debug, info"}},
             {"[network\n", {file + ":"}}}) {
        SCOPED_TRACE(one.toml);
        EXPECT_TRUE(write_file(file, one.toml));
        expect_refused(2, one.words, other, run_node(other));
    }
    EXPECT_TRUE(write_file(
        file,
        "[tools]\nbuiltin = [\"ad\"]\n[network]\nlisten = "
        "\"/ip4/127.0.0.1/tcp/0\"\n"
    ));
    expect_refused(1, {"tools.builtin", "\"ad\""}, other, run_node(other));
    EXPECT_TRUE(write_file(file, "[network]\nlisten = \"localhost:4001\"\n"));
    expect_refused(1, {"localhost:4001", "/ip4/127.0.0.1/tcp/4001"}, other, run_node(other));
    const Said environment =
        creto({"run", other.string(), "--json"}, {{"CRETO_LOG_LEVEL", "loud"}}, folder_patience);
    expect_refused(2, {"CRETO_LOG_LEVEL", "trace, debug"}, other, environment);
}

TEST_F(Folder, KeyAndGenesisThatAreWrong) {
    const fs::path other = beside("");
    const std::string key = (other / "key").string();
    fs::permissions(key, fs::perms::owner_all | fs::perms::others_read);
    expect_refused(1, {key, "chmod 600"}, other, run_node(other));
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_TRUE(write_file(key, "0123\n"));
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    expect_refused(1, {key, "64 hexadecimal digits"}, other, run_node(other));
    fs::remove(key);
    expect_refused(1, {key, "creto keygen " + key}, other, run_node(other));
    EXPECT_EQ(creto({"keygen", key}).exit, 0);
    const std::string genesis = (other / "genesis.json").string();
    EXPECT_TRUE(write_file(genesis, "{\"network\": \"x\""));
    expect_refused(1, {genesis, "JSON"}, other, run_node(other));
    EXPECT_TRUE(write_file(genesis, R"({"network": "x", "members": []})"));
    expect_refused(1, {genesis}, other, run_node(other));
    fs::remove(genesis);
    expect_refused(1, {genesis, "the network's genesis.json"}, other, run_node(other));
}

TEST_F(Folder, ThatCannotBeWritten) {
    if (!may_mount()) GTEST_SKIP() << "a mount namespace needs more rights than this user has";
    stop();
    expect_refused(1, {dir().string(), "ead-only"}, dir(), run_read_only(dir()));
    start();
    EXPECT_TRUE(kept()) << "nothing was lost by the attempt";
}

TEST_F(Folder, AStoreThatIsDamaged) {
    stop();
    const fs::path store = dir() / "data" / "store";
    fs::path manifest;
    for (const auto& entry : fs::directory_iterator{store}) {
        if (entry.path().filename().string().rfind("MANIFEST", 0) == 0) manifest = entry.path();
    }
    ASSERT_FALSE(manifest.empty());
    const fs::path copy = folder_.path() / "manifest";
    fs::copy_file(manifest, copy);
    overwrite(manifest, 20, "damage");
    expect_refused(1, {store.string(), "creto fsck"}, dir(), run_node(dir()));
    const Said checked = creto({"fsck", dir().string(), "--json"});
    EXPECT_EQ(checked.exit, 1);
    EXPECT_EQ(checked.json()["ok"], false) << checked.out;
    EXPECT_NE(checked.out.find(store.string()), std::string::npos) << checked.out;
    fs::copy_file(copy, manifest, fs::copy_options::overwrite_existing);
    EXPECT_EQ(creto({"fsck", dir().string(), "--json"}).exit, 0);
    start();
    EXPECT_TRUE(kept());
}

TEST_F(Folder, AVoteLogThatIsDamaged) {
    stop();
    const fs::path log = dir() / "data" / "votes.log";
    overwrite(log, 200, "damage");
    const Said checked = creto({"fsck", dir().string(), "--json"});
    EXPECT_EQ(checked.exit, 1);
    EXPECT_NE(checked.out.find("votes.log"), std::string::npos) << checked.out;
    // It serves what it has, and signs nothing: it cannot know what it said.
    start();
    const Json status = cluster_->ask(0, "status");
    ASSERT_TRUE(status["halted"].is_string()) << status.dump();
    EXPECT_NE(status["halted"].get<std::string>().find("vote log is damaged"), std::string::npos)
        << status["halted"];
    EXPECT_TRUE(kept());
    const Json written =
        cluster_->ask(0, "write", {{"key", "final/late"}, {"value", "v"}, {"timeout_ms", 500}});
    EXPECT_FALSE(ok(written)) << "a seat that forgot its votes voted: " << written.dump();
    const auto health = Client{cluster_->admin_address(0)}.get("/healthz");
    ASSERT_TRUE(health);
    EXPECT_EQ(health->status, 503);
}

/// The node's data lies on a small file system of its own, which later grows. Arguments: folder, creto,
/// where to tell.
constexpr const char* small_disk_life = R"(
set -e
mkdir -p "$0/data"
mount -t tmpfs -o size=40m tmpfs "$0/data"
code=0
"$1" run "$0" --json >"$2/out1" 2>"$2/err1" || code=$?
mount -o remount,size=400m "$0/data"
"$1" fsck "$0" --json >"$2/fsck" || true
echo $code >"$2/exit1"
exec "$1" run "$0" --json >"$2/out2" 2>"$2/err2"
)";

TEST_F(Folder, ADiskThatIsFull) {
    if (!may_mount()) GTEST_SKIP() << "a mount namespace needs more rights than this user has";
    stop();
    fs::remove_all(dir() / "data");
    const fs::path told = folder_.path() / "told";
    fs::create_directories(told);
    const auto text_of = [&](const char* name) {
        const auto text = read_file(told / name, 1U << 20U);
        return text ? *text : std::string{};
    };
    const auto admin_of = [&](const char* name) {
        std::string address;
        const bool there = eventually(
            [&] {
                const Json doc = Json::parse(text_of(name), nullptr, false);
                if (doc.is_object()) address = doc.value("admin", "");
                return !address.empty();
            },
            folder_patience
        );
        EXPECT_TRUE(there) << "the node did not start: " << text_of("err1") << text_of("err2");
        return Client{address};
    };
    auto process = Process::start(
        {"/usr/bin/unshare",
         "-m",
         "-p",
         "--fork",
         "--kill-child",
         "/bin/sh",
         "-c",
         small_disk_life,
         dir().string(),
         program().string(),
         told.string()},
        told / "shell.out",
        told / "shell.err"
    );
    ASSERT_TRUE(process) << process.error().message;
    const Client small = admin_of("out1");
    const std::string value(60'000, 'v');
    const auto write = [&](const Client& node, int i) {
        return node.command(
            "write",
            {{"key", "final/big" + std::to_string(i)}, {"value", value}, {"timeout_ms", 8'000}}
        );
    };
    int kept_count = 0;
    Result<Json> last = write(small, kept_count);
    while (last && kept_count < 2'000)
        last = write(small, ++kept_count);
    ASSERT_FALSE(last) << "the disk never became full";
    EXPECT_GT(kept_count, 20);
    EXPECT_NE(last.error().message.find("storage failed"), std::string::npos)
        << last.error().message;
    // It says so, serves what it has, and takes nothing more.
    const auto status = small.command("status", Json::object());
    ASSERT_TRUE(status) << status.error().message;
    const std::string halted = (*status)["halted"].dump();
    EXPECT_NE(halted.find("space"), std::string::npos) << halted;
    EXPECT_NE(halted.find((dir() / "data").string()), std::string::npos) << "where? " << halted;
    EXPECT_NE(text_of("err1").find("space"), std::string::npos) << text_of("err1");
    const auto read = small.command("read", {{"key", "final/big0"}});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ((*read)["found"], true);
    EXPECT_FALSE(write(small, 9'999)) << "it took a write that it cannot keep";
    const auto health = small.get("/healthz");
    ASSERT_TRUE(health);
    EXPECT_EQ(health->status, 503);
    ASSERT_TRUE(small.post("/v1/stop", Json::object()));

    const Client grown = admin_of("out2");
    EXPECT_EQ(text_of("exit1"), "0\n") << text_of("err1");
    const Json checked = Json::parse(text_of("fsck"), nullptr, false);
    for (const Json& finding : checked["findings"])
        EXPECT_NE(finding["severity"], "error") << finding.dump();
    for (int i = 0; i < kept_count; ++i) {
        const auto again = grown.command("read", {{"key", "final/big" + std::to_string(i)}});
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ((*again)["values"], Json::array({value}))
            << "acknowledged write " << i << " is lost";
    }
    EXPECT_TRUE(write(grown, 10'000)) << "with room it goes on";
    EXPECT_TRUE(grown.post("/v1/stop", Json::object()));
    const auto exit = process->wait(folder_patience);
    EXPECT_EQ(exit, 0);
}

}  // namespace
}  // namespace creto::system_test
