// Real sockets of one process: who does not read, who takes all places, who knocks without end.
#include "runtime/transport.hpp"

#include <gtest/gtest.h>

#include <boost/asio/write.hpp>

#include "runtime/address.hpp"

namespace creto {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto patience = std::chrono::seconds{20};

KeySeed random_key() {
    std::array<std::uint8_t, KeySeed::size> seed{};
    fill_random(seed);
    return KeySeed{seed};
}

/// An end of links: a transport, and what it saw.
struct End {
    End(asio::io_context& io, const SteadyClock& clock, TransportOptions options) {
        options.key = random_key();
        if (options.listen.empty()) options.listen = "/ip4/127.0.0.1/tcp/0";
        agent = ed25519_public_key(options.key);
        Transport::Callbacks callbacks;
        callbacks.on_peer_up = [this](
                                   const AgentId& peer, const std::string&, const std::string& g
                               ) { groups[peer] = g; };
        callbacks.on_peer_down = [this](const AgentId& peer) { groups.erase(peer); };
        callbacks.on_message = [this](const AgentId&, Channel, const SharedBytes& bytes) {
            ++messages;
            heard_bytes += bytes->size();
            return reads;
        };
        callbacks.on_log = [](const std::string&) {};
        transport.emplace(io, options, clock, std::move(callbacks));
        EXPECT_TRUE(transport->listen());
    }
    void dial(const End& other) { transport->dial(other.transport->listen_address(), other.agent); }
    void send(const End& to, std::size_t bytes) {
        transport->send(to.agent, Channel::data, share(Bytes(bytes, 7)));
        transport->flush();
    }
    [[nodiscard]] bool has(const End& other) const { return groups.contains(other.agent); }

    AgentId agent;
    std::map<AgentId, std::string> groups;
    std::size_t messages = 0;
    std::size_t heard_bytes = 0;
    bool reads = true;
    std::optional<Transport> transport;
};

class Links : public ::testing::Test {
protected:
    template <class Condition>
    bool until(const Condition& done, std::chrono::milliseconds most = patience) {
        const auto end = std::chrono::steady_clock::now() + most;
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            io_.run_one_for(std::chrono::milliseconds{20});
            io_.restart();
        }
        return true;
    }
    std::unique_ptr<End> end_at(const std::string& host, TransportOptions options = {}) {
        options.listen = "/ip4/" + host + "/tcp/0";
        options.bind_outgoing = true;
        return std::make_unique<End>(io_, clock_, options);
    }
    /// A socket without anything above it, from this address.
    tcp::socket knock(const End& at, const std::string& from) {
        tcp::socket socket{io_};
        socket.open(tcp::v4());
        socket.bind({asio::ip::make_address(from), 0});
        socket.connect(*parse_address(at.transport->listen_address()));
        return socket;
    }

    asio::io_context io_;
    SteadyClock clock_;
};

// [FLOOD-SLOW.1]
TEST_F(Links, WhoDoesNotReadIsLetGoAndTheOthersAreNot) {
    TransportOptions options;
    options.waiting_bytes_max = 8U << 20U;
    End sender{io_, clock_, options};
    End slow{io_, clock_, {}};
    End quick{io_, clock_, {}};
    slow.reads = false;
    slow.dial(sender);
    quick.dial(sender);
    ASSERT_TRUE(until([&] { return sender.has(slow) && sender.has(quick); }));
    std::size_t sent = 0;
    const bool gone = until([&] {
        sender.send(slow, 1U << 20U);
        sender.send(quick, 1'000);
        ++sent;
        return !sender.has(slow);
    });
    EXPECT_TRUE(gone);
    EXPECT_EQ(sender.transport->counters().too_slow, 1U);
    // What the kernel, the stream and the window of the other end take, and what may wait.
    EXPECT_LT(sent, 100U) << "megabytes for a peer that reads nothing";
    EXPECT_TRUE(sender.has(quick));
    EXPECT_TRUE(until([&] { return quick.messages == sent; }));
}

TEST_F(Links, APeerThatHasToWaitIsReadOnceThereIsRoom) {
    End receiver{io_, clock_, {}};
    End sender{io_, clock_, {}};
    sender.dial(receiver);
    ASSERT_TRUE(until([&] { return sender.has(receiver); }));
    receiver.reads = false;
    constexpr std::size_t count = 40;
    for (std::size_t i = 0; i < count; ++i)
        sender.send(receiver, 100'000);
    ASSERT_TRUE(until([&] { return receiver.messages > 0; }));
    (void)until([] { return false; }, std::chrono::milliseconds{200});
    EXPECT_LT(receiver.messages, count) << "it read on although it was told to stop";
    receiver.reads = true;
    receiver.transport->resume(sender.agent);
    EXPECT_TRUE(until([&] { return receiver.messages == count; }));
    EXPECT_EQ(receiver.heard_bytes, count * 100'000);
}

// [FLOOD-CONNECTIONS.1]
TEST_F(Links, WhoTakesAllPlacesMakesRoomForAnother) {
    TransportOptions options;
    options.connections_max = 6;
    const auto host = end_at("127.0.0.1", options);
    const auto honest = end_at("127.0.0.9");
    honest->dial(*host);
    ASSERT_TRUE(until([&] { return host->has(*honest); }));
    EXPECT_EQ(host->groups.at(honest->agent), "127.0.0.9");
    std::vector<std::unique_ptr<End>> flood;
    for (int i = 0; i < 5; ++i) {
        flood.push_back(end_at("127.0.0.2"));
        flood.back()->dial(*host);
        ASSERT_TRUE(until([&] { return host->has(*flood.back()); }));
    }
    const auto one_more = end_at("127.0.0.2");
    one_more->dial(*host);
    EXPECT_TRUE(until([&] { return host->transport->counters().refused == 1; }));
    EXPECT_EQ(host->groups.size(), 6U) << "its own group is the greediest";
    const auto newcomer = end_at("127.0.0.3");
    newcomer->dial(*host);
    EXPECT_TRUE(until([&] { return host->has(*newcomer); }));
    EXPECT_TRUE(host->has(*honest));
    EXPECT_FALSE(host->has(*flood.back())) << "the newest of the greediest goes";
    EXPECT_TRUE(host->has(*flood.front()));
    // Whom we want to reach finds a place as well.
    const auto wanted = end_at("127.0.0.4");
    host->transport->dial(wanted->transport->listen_address(), wanted->agent);
    EXPECT_TRUE(until([&] { return host->has(*wanted); }));
    EXPECT_LE(host->transport->connections(), 6U);
}

// [FLOOD-CONNECTIONS.2]
TEST_F(Links, OneHandshakeMoreThanTheRateIsRefusedAndOthersComeIn) {
    TransportOptions options;
    options.arrivals = {.rate_per_s = 1, .burst = 5};
    const auto host = end_at("127.0.0.1", options);
    std::vector<tcp::socket> sockets;
    for (int i = 0; i < 6; ++i) {
        sockets.push_back(knock(*host, "127.0.0.2"));
        (void)until(
            [&] { return host->transport->counters().accepted > std::size_t(i); },
            std::chrono::milliseconds{500}
        );
    }
    EXPECT_EQ(host->transport->counters().accepted, 5U);
    EXPECT_TRUE(until([&] { return host->transport->counters().too_soon == 1; }));
    std::array<char, 1> byte{};
    boost::system::error_code error;
    sockets.back().read_some(asio::buffer(byte), error);
    EXPECT_TRUE(error) << "it is closed";
    const auto other = end_at("127.0.0.3");
    other->dial(*host);
    EXPECT_TRUE(until([&] { return host->has(*other); }));
}

/// An honest handshake over a raw socket, and then whatever the test wants.
class Puppet {
public:
    Puppet(tcp::socket socket, const SteadyClock& clock)
        : socket_{std::move(socket)}, clock_{clock}, connection_{options(), clock.now()} {
        socket_.non_blocking(true);
    }
    p2p::Connection& connection() { return connection_; }
    /// Reads and writes what there is. False: the other side has closed.
    bool pump() {
        boost::system::error_code error;
        while (true) {
            const std::size_t size = socket_.read_some(asio::buffer(buffer_), error);
            if (error == asio::error::would_block) break;
            if (error) return false;
            connection_.on_bytes(ByteView{buffer_}.first(size), clock_.now());
            (void)connection_.take_events();
        }
        if (connection_.has_output()) connection_.take_output(out_);
        while (!out_.empty()) {
            const std::size_t size = socket_.write_some(asio::buffer(out_), error);
            if (error == asio::error::would_block) return true;
            if (error) return false;
            out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(size));
        }
        return true;
    }

private:
    static p2p::Connection::Options options() {
        const KeySeed key = random_key();
        p2p::Connection::Options out;
        out.self = ed25519_public_key(key);
        out.sign = [key](ByteView bytes) { return ed25519_sign_raw(key, bytes); };
        out.verify = ed25519_verify_raw;
        fill_random(out.noise_static_seed);
        fill_random(out.noise_ephemeral_seed);
        out.yamux.outbound_streams_max = 1'000'000;
        out.yamux.unacknowledged_max = 1'000'000;
        return out;
    }
    tcp::socket socket_;
    const SteadyClock& clock_;
    p2p::Connection connection_;
    Bytes buffer_ = Bytes(64 * 1024);
    Bytes out_;
};

class Puppets : public Links {
protected:
    Puppets() : host_{end_at("127.0.0.1")}, friend_{end_at("127.0.0.9")} {}
    void SetUp() override {
        friend_->dial(*host_);
        ASSERT_TRUE(until([&] { return host_->has(*friend_); }));
        puppet_.emplace(knock(*host_, "127.0.0.2"), clock_);
        ASSERT_TRUE(until([&] {
            EXPECT_TRUE(puppet_->pump());
            return puppet_->connection().established();
        }));
    }
    /// Does it until the host has had enough. How often.
    template <class Act>
    std::size_t cut_after(const Act& act, std::size_t most) {
        std::size_t times = 0;
        const bool cut = until([&] {
            for (int i = 0; i < 50 && times < most; ++i, ++times)
                act();
            return !puppet_->pump() || puppet_->connection().closed();
        });
        EXPECT_TRUE(cut) << "it may go on for ever";
        return times;
    }
    void TearDown() override {
        EXPECT_TRUE(host_->has(*friend_)) << "the others' links go on";
        const std::size_t before = host_->messages;
        friend_->send(*host_, 1'000);
        EXPECT_TRUE(until([&] { return host_->messages > before; }));
        EXPECT_TRUE(until([&] { return host_->transport->connections() == 1; }));
    }

    std::unique_ptr<End> host_;
    std::unique_ptr<End> friend_;
    std::optional<Puppet> puppet_;
};

TEST_F(Puppets, StreamsWithoutEndEndTheConnection) {
    const std::size_t opened = cut_after(
        [&] {
            const auto stream = puppet_->connection().open("/creto/call/1.0.0", clock_.now());
            (void)stream;
        },
        50'000
    );
    EXPECT_LT(opened, 10'000U);
}

TEST_F(Puppets, StreamsThatAreOpenedAndResetEndTheConnection) {
    const std::size_t opened = cut_after(
        [&] {
            const auto stream = puppet_->connection().open("/creto/call/1.0.0", clock_.now());
            if (stream) puppet_->connection().reset(*stream);
        },
        50'000
    );
    EXPECT_LT(opened, 10'000U);
}

TEST_F(Puppets, AMessageThatIsTooLargeEndsTheConnectionBeforeItIsRead) {
    const auto stream = puppet_->connection().open("/creto/call/1.0.0", clock_.now());
    ASSERT_TRUE(stream);
    Bytes length;
    for (std::size_t left = limits::message_bytes_max + 1; left > 0; left >>= 7U)
        length.push_back(static_cast<std::uint8_t>((left & 0x7FU) | (left > 0x7F ? 0x80U : 0U)));
    ASSERT_TRUE(puppet_->connection().send(*stream, length, clock_.now()));
    EXPECT_TRUE(until([&] { return !puppet_->pump(); }));
}

}  // namespace
}  // namespace creto
