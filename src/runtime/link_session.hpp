// LinkSession: one TCP socket with the libp2p stack on it, seen as whole messages on three channels.
//
// Why      The node speaks messages to a proven peer; sockets speak bytes. One stream a channel and
//          direction, so that bulk data delays no vote and no call (docs/decisions/0005).
// Holds    Runs on one thread (the host's io_context). Everything has a deadline or a bound: handshake
//          10 s, a message's size, the bytes that wait for a slow peer. Over the bound the connection
//          ends, never the process.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "model/message.hpp"
#include "p2p/connection.hpp"
#include "p2p/framing.hpp"

namespace creto {

/// The protocol names of the three channels, by Channel.
[[nodiscard]] const char* protocol_of(Channel channel);

/// The host's clock, from its own origin.
class SteadyClock {
public:
    SteadyClock() : origin_{std::chrono::steady_clock::now()} {}
    [[nodiscard]] Instant now() const {
        return Instant::from_ns(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                    std::chrono::steady_clock::now() - origin_
        )
                                    .count());
    }
    [[nodiscard]] std::chrono::steady_clock::time_point at(Instant instant) const;

private:
    std::chrono::steady_clock::time_point origin_;
};

class LinkSession : public std::enable_shared_from_this<LinkSession> {
public:
    struct Callbacks {
        std::function<void(LinkSession&)> on_established;
        /// False: no more for now; the session reads on after resume().
        std::function<bool(LinkSession&, Channel, SharedBytes)> on_message;
        std::function<void(LinkSession&, const std::string& why)> on_closed;
    };

    LinkSession(
        boost::asio::ip::tcp::socket socket,
        p2p::Connection::Options options,
        std::string dialled_address,
        const SteadyClock& clock,
        Callbacks callbacks
    );

    /// Why a link ends when its peer does not read.
    static constexpr const char* too_slow = "the peer reads too slowly";

    void start();
    /// Queues a whole message. Written by the next flush().
    void send(Channel channel, const SharedBytes& message);
    /// Moves what is queued to the socket.
    void flush();
    void close(const std::string& why);
    /// Reads on, if it was told to stop.
    void resume();

    [[nodiscard]] bool established() const { return established_; }
    [[nodiscard]] bool closed() const { return closed_; }
    /// Requires: established().
    [[nodiscard]] const AgentId& peer() const { return *connection_.peer(); }
    /// The address that we dialled; empty when the peer dialled us.
    [[nodiscard]] const std::string& dialled_address() const { return dialled_address_; }
    [[nodiscard]] bool outbound() const { return !dialled_address_.empty(); }
    [[nodiscard]] Instant last_heard() const { return last_heard_; }
    [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }
    /// What waits for the peer to read, before it is framed.
    [[nodiscard]] std::size_t waiting_bytes() const;
    [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }

private:
    struct Outgoing {
        std::optional<p2p::StreamId> stream;
        std::deque<SharedBytes> waiting;  ///< Framed only when it leaves.
        std::size_t bytes = 0;
    };
    struct Incoming {
        explicit Incoming(Channel which) : channel{which}, reader{limits::message_bytes_max} {}
        Channel channel;
        p2p::FrameReader reader;
    };

    void read();
    void on_read(const boost::system::error_code& error, std::size_t size);
    void write();
    void act();
    void on_event(const p2p::ConnectionEvent& event);
    void on_data(const p2p::StreamData& event);
    void push(Outgoing& out, Channel channel);
    void arm();

    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer timer_;
    p2p::Connection connection_;
    std::string dialled_address_;
    const SteadyClock& clock_;
    Callbacks callbacks_;
    std::array<Outgoing, channel_count> out_;
    std::map<p2p::StreamId, Incoming> in_;
    Bytes read_buffer_;
    Bytes write_buffer_;
    bool writing_ = false;
    bool reading_ = false;
    bool paused_ = false;
    std::size_t read_size_;  ///< Of the buffer: more for who sends much and is listened to.
    bool established_ = false;
    bool closed_ = false;
    Instant last_heard_;
    Instant armed_ = Instant::max();
    std::uint64_t bytes_in_ = 0;
    std::uint64_t bytes_out_ = 0;
};

}  // namespace creto
