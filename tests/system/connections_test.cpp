// Connections that cost: peers that speak slowly, clients that speak slowly, ten thousand at once.
#include <poll.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <csignal>
#include <fstream>
#include <sys/socket.h>

#include "runtime/address.hpp"
#include "scale/agent_client.hpp"
#include "scale/config.hpp"
#include "system/raw_peer.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

constexpr auto connection_patience = seconds{20};

/// A plain socket: what speaks here is no creto node.
class Wire {
public:
    explicit Wire(const std::string& address) : fd_{::socket(AF_INET, SOCK_STREAM, 0)} {
        const auto endpoint = parse_address(address);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(endpoint->port());
        ::inet_pton(AF_INET, endpoint->address().to_string().c_str(), &to.sin_addr);
        open_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
    ~Wire() { ::close(fd_); }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    [[nodiscard]] bool open() const { return open_; }
    void send(std::string_view bytes) const {
        (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    /// Reads what is there; true once the other side has closed.
    [[nodiscard]] bool closed() {
        pollfd wanted{fd_, POLLIN, 0};
        while (::poll(&wanted, 1, 0) > 0) {
            std::array<char, 4096> buffer{};
            if (::recv(fd_, buffer.data(), buffer.size(), 0) <= 0) return true;
        }
        return false;
    }

private:
    int fd_;
    bool open_ = false;
};

/// One node that is its own quorum, with short deadlines.
class Connections : public ClusterTest {
protected:
    void SetUp() override {
        RealNodeOptions node{.name = "alone"};
        node.environment = {
            {"CRETO_NETWORK_HANDSHAKE_TIMEOUT_MS", "600"},
            {"CRETO_ADMIN_TIMEOUT_MS", "600"},
            // What a sanitizer keeps of freed memory is not the node's.
            {"ASAN_OPTIONS", "quarantine_size_mb=8"}};
        ASSERT_NO_FATAL_FAILURE(
            make_and_start({.network = "alone", .mode = QuorumMode::crash, .nodes = {node}})
        );
    }
    /// Says `greeting` at once and then `drip`, byte by byte, much slower than the deadline allows,
    /// until the other side has had enough.
    static milliseconds cut_after(
        const std::string& address, std::string_view greeting, std::string_view drip
    ) {
        Wire wire{address};
        EXPECT_TRUE(wire.open());
        wire.send(greeting);
        const auto begin = std::chrono::steady_clock::now();
        auto next = begin;
        const bool cut = eventually(
            [&] {
                if (wire.closed()) return true;
                if (std::chrono::steady_clock::now() >= next) {
                    wire.send(drip.substr(0, 1));
                    if (drip.size() > 1) drip.remove_prefix(1);
                    next += milliseconds{150};
                }
                return false;
            },
            connection_patience
        );
        EXPECT_TRUE(cut) << "it may talk on for ever";
        return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    }
    void expect_served() {
        const Json written =
            cluster_->ask(0, "write", {{"key", "final/k"}, {"value", "v"}, {"timeout_ms", 10'000}});
        EXPECT_TRUE(ok(written)) << written.dump();
        auto client =
            AgentClient::connect(cluster_->genesis(), "healthy", {cluster_->direct_address(0)});
        ASSERT_TRUE(client) << client.error().message;
        // Both ends may have dialled, and one of the two connections goes: the call is sent again.
        const ReplyBody reply =
            (*client)->ask(CallTool{.tool = "add", .arguments = R"({"a":20,"b":22})"});
        ASSERT_TRUE(std::holds_alternative<CallReply>(reply)) << std::get<Error>(reply).message;
        EXPECT_EQ(std::get<CallReply>(reply).result, "42");
    }
    [[nodiscard]] std::uint64_t resident_kib() const {
        std::ifstream status{"/proc/" + std::to_string(cluster_->pid(0)) + "/status"};
        for (std::string line; std::getline(status, line);) {
            if (line.rfind("VmRSS:", 0) == 0) return std::stoull(line.substr(6));
        }
        return 0;
    }
    [[nodiscard]] std::size_t open_files() const {
        const auto folder = "/proc/" + std::to_string(cluster_->pid(0)) + "/fd";
        return static_cast<std::size_t>(std::distance(
            std::filesystem::directory_iterator{folder}, std::filesystem::directory_iterator{}
        ));
    }
};

TEST_F(Connections, APeerThatSpeaksSlowlyIsCutAtTheDeadline) {
    const std::string peers = cluster_->direct_address(0);
    // Every byte is right as far as it goes: only the clock can tell that this peer is none.
    const std::string hello = "\x13/multistream/1.0.0\n\x07/noise\n";
    const std::string noise_length("\x00\x60", 2);
    for (const auto& [greeting, drip] : std::initializer_list<std::pair<std::string, std::string>>{
             {"", hello}, {hello.substr(0, 22), "/noise\n"}, {hello + noise_length, "e"}}) {
        const milliseconds took = cut_after(peers, greeting, drip);
        EXPECT_GE(took, milliseconds{500}) << "cut before its time";
        EXPECT_LE(took, milliseconds{5'000});
        expect_served();
    }
}

TEST_F(Connections, ASlowRequestIsCutAtTheDeadline) {
    for (const char* greeting :
         {"GET /v1/st", "POST /v1/status HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{"}) {
        EXPECT_LE(cut_after(cluster_->admin_address(0), greeting, "x"), milliseconds{5'000});
    }
    expect_served();
}

TEST_F(Connections, TenThousandAtOnceAreBoundedAndOthersAreServed) {
    expect_served();
    const std::uint64_t before_kib = resident_kib();
    const auto endpoint = parse_address(cluster_->direct_address(0));
    const std::filesystem::path said = folder_.path() / "flood";
    auto flood = Process::start(
        {"/usr/bin/python3",
         CRETO_SOURCE_DIR "/tests/system/flood.py",
         endpoint->address().to_string(),
         std::to_string(endpoint->port()),
         "127.9.9.9",
         "10000"},
        said,
        folder_.path() / "flood.err"
    );
    ASSERT_TRUE(flood) << flood.error().message;
    std::size_t files_max = 0;
    std::string counted;
    // Served while the flood rises, and when it stands.
    do {
        expect_served();
        files_max = std::max(files_max, open_files());
        const auto text = read_file(said, 4'096);
        if (text) counted = *text;
        ASSERT_TRUE(flood->running()) << *read_file(folder_.path() / "flood.err", 4'096);
    } while (counted.empty() && !HasFailure());
    EXPECT_EQ(Json::parse(counted, nullptr, false)["opened"], 10'000) << counted;
    expect_served();
    EXPECT_LE(files_max, 1'100U) << "every connection was taken in";
    EXPECT_LE(resident_kib(), before_kib + 200 * 1'024) << "memory grows with the flood";
    const auto metrics = Client{cluster_->admin_address(0)}.get("/metrics");
    ASSERT_TRUE(metrics);
    EXPECT_NE(metrics->body.find("creto_connections_refused_total"), std::string::npos);
    flood->kill();
    const bool drained = eventually([&] { return open_files() < 200; }, connection_patience);
    EXPECT_TRUE(drained) << open_files() << " files are still open";
    expect_served();
    std::cout << "flood: " << counted << "at most " << files_max << " files open, memory "
              << before_kib / 1'024 << " MiB before, " << resident_kib() / 1'024 << " MiB after"
              << std::endl;
}

// [FLOOD-SLOW.1] Each question makes the node hold a megabyte for its asker.
TEST_F(Connections, WhoAsksForMuchAndReadsNothingIsCutAndMemoryIsBounded) {
    const std::string value(100'000, 'v');
    for (int i = 0; i < 10; ++i) {
        const Json written =
            cluster_->ask(0, "write", {{"key", "final/k" + std::to_string(i)}, {"value", value}});
        ASSERT_TRUE(ok(written)) << written.dump();
    }
    expect_served();
    const std::uint64_t before_kib = resident_kib();
    std::uint64_t most_kib = 0;
    const VertexRequest request{
        {LaneRange{LaneId{Seat{0}, Incarnation{}}, Sequence{1}, Sequence{200}, {}}}};
    const Bytes question = *encode_message(request);
    constexpr int peers = 4;
    for (int i = 0; i < peers; ++i) {
        RawPeer deaf{random_key()};
        deaf.go_deaf();
        deaf.connect(cluster_->direct_address(0), cluster_->agent(0));
        ASSERT_TRUE(deaf.connected(cluster_->agent(0), connection_patience));
        for (int asked = 0; asked < 1'000; ++asked)
            deaf.send(cluster_->agent(0), Channel::data, question);
        const bool cut = eventually(
            [&] {
                most_kib = std::max(most_kib, resident_kib());
                return !deaf.connected(cluster_->agent(0), milliseconds{0});
            },
            connection_patience
        );
        EXPECT_TRUE(cut) << "it may hold on for ever";
        expect_served();
    }
    EXPECT_LE(most_kib, before_kib + 300 * 1'024) << "memory grows with what nobody reads";
    const auto metrics = Client{cluster_->admin_address(0)}.get("/metrics");
    ASSERT_TRUE(metrics);
    EXPECT_NE(metrics->body.find("creto_peers_too_slow_total{node=\"alone\"} 4"), std::string::npos)
        << metrics->body;
    std::cout << "memory " << before_kib / 1'024 << " MiB before, at most " << most_kib / 1'024
              << " MiB" << std::endl;
}

/// Nodes that dial each other through the link shim.
class Links : public ClusterTest {
protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(
            make_and_start({.network = "links", .mode = QuorumMode::crash, .nodes = seats(3)})
        );
        ASSERT_TRUE(reaches(0, 3, seconds{20}));
    }
    bool connected(std::size_t node, std::size_t other) {
        const Json reply = cluster_->ask(node, "peers");
        for (const Json& peer : reply["peers"]) {
            if (peer["agent"] == agent_text(cluster_->agent(other))) return peer["connected"];
        }
        return false;
    }
};

// A process that was started while connections were open inherited their sockets: when one end died,
// the other never heard of it, and dialled anew only when a ping had gone unanswered for 40 s.
TEST_F(Links, ARestartedNodeThatKnowsNobodyIsDialledSoon) {
    cluster_->kill(2);
    ASSERT_TRUE(cluster_->start(2));
    ASSERT_TRUE(reaches(2, 3, seconds{20}));
    // Node 0 has no bootstrap address: others have to come to it.
    cluster_->kill(0);
    ASSERT_TRUE(eventually([&] { return !connected(1, 0); }, seconds{3})) << "it holds a dead link";
    ASSERT_TRUE(cluster_->start(0));
    EXPECT_TRUE(reaches(0, 3, seconds{5}));
}

// Nothing says that this link is dead: the process stopped with its sockets open.
TEST_F(Links, ALinkThatLeavesPingsUnansweredIsDroppedAndDialledAnew) {
    ASSERT_EQ(::kill(cluster_->pid(1), SIGSTOP), 0);
    const bool dropped = eventually([&] { return !connected(0, 1); }, seconds{20});
    ASSERT_EQ(::kill(cluster_->pid(1), SIGCONT), 0);
    EXPECT_TRUE(dropped);
    EXPECT_TRUE(reaches(0, 3, seconds{10}));
    EXPECT_TRUE(eventually([&] { return connected(0, 1) && connected(1, 0); }, seconds{10}));
}

}  // namespace
}  // namespace creto::system_test
