// Transport: all connections of a node: listens, dials, keeps one connection a peer.
//
// Holds    At most one connection a peer. When both dialled at once, both keep the one that the smaller
//          id dialled, unless it has been silent for stale_after. At most connections_max sockets, of
//          which unproven_max were accepted and have not finished their handshake. For one more, the
//          oldest of the address that has most of those goes: a flood crowds out itself. With all
//          places taken by proven peers, a newcomer takes the newest place of the group of addresses
//          (address_group()) that has most, if that is another one [FLOOD-CONNECTIONS.1]. Handshakes
//          begin no faster for one address, or group, than `arrivals` says [FLOOD-CONNECTIONS.2]. What
//          waits for peers that do not read is bounded together: the link with most goes
//          [FLOOD-SLOW.1].
// Errors   conflict: the port is in use; denied: the port may not be opened; invalid: the address.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/token_bucket.hpp"
#include "crypto/box.hpp"
#include "runtime/link_session.hpp"

namespace creto {

struct TransportOptions {
    KeySeed key;
    std::string listen;  ///< "/ip4/127.0.0.1/tcp/4001"; port 0 takes any.
    /// Dial from the listening address, so that a link shim can tell who is calling.
    bool bind_outgoing = false;
    std::size_t connections_max = 1'024;
    std::size_t unproven_max = 128;
    /// Connections of one address; a group of addresses may make four times as many.
    TokenBucket::Options arrivals{.rate_per_s = 100, .burst = 500};
    std::size_t waiting_bytes_max = 256ULL << 20U;      ///< For all peers that read too slowly.
    Duration handshake_timeout = Duration::from_s(10);  ///< However slowly the peer speaks.
    Duration stale_after = Duration::from_s(1);  ///< Probes of a living seat come more often.
    /// A link that does not answer a ping is given up and dialled anew: the end of a cable or of a
    /// machine closes no connection.
    Duration ping_interval = Duration::from_s(5);
    Duration ping_timeout = Duration::from_s(8);
};

class Transport {
public:
    struct Callbacks {
        /// `group`: see address_group().
        std::function<
            void(const AgentId&, const std::string& dialled_address, const std::string& group)>
            on_peer_up;
        std::function<void(const AgentId&)> on_peer_down;
        /// False: read no more from this peer until resume().
        std::function<bool(const AgentId&, Channel, SharedBytes)> on_message;
        std::function<void(const std::string&)> on_log;
    };
    struct Counters {
        std::uint64_t accepted = 0;
        std::uint64_t refused = 0;   ///< Over a limit, on arrival or to make room.
        std::uint64_t too_soon = 0;  ///< Of these, over the rate of arrivals.
        std::uint64_t too_slow = 0;  ///< Links of peers that did not read.
        std::uint64_t dialled = 0;
        std::uint64_t dials_failed = 0;
        std::uint64_t handshakes_failed = 0;
        std::uint64_t bytes_in = 0;
        std::uint64_t bytes_out = 0;
    };

    Transport(
        boost::asio::io_context& io,
        TransportOptions options,
        const SteadyClock& clock,
        Callbacks callbacks
    );
    ~Transport();

    [[nodiscard]] Result<void> listen();
    /// Where others reach us; after listen().
    [[nodiscard]] std::string listen_address() const;

    void dial(const std::string& address, const std::optional<AgentId>& peer);
    void send(const AgentId& peer, Channel channel, const SharedBytes& message);
    /// Writes what the sends of this turn queued.
    void flush();
    void drop(const AgentId& peer, const std::string& why);
    /// Reads on from a peer.
    void resume(const AgentId& peer);
    void close();

    [[nodiscard]] std::size_t peers() const { return by_peer_.size(); }
    [[nodiscard]] std::size_t connections() const { return sessions_.size(); }
    [[nodiscard]] Counters counters() const;

private:
    using SessionPtr = std::shared_ptr<LinkSession>;

    void accept();
    void on_accepted(boost::asio::ip::tcp::socket socket);
    LinkSession& adopt(
        boost::asio::ip::tcp::socket socket,
        const std::string& address,
        const std::optional<AgentId>& peer
    );
    [[nodiscard]] bool comes_too_soon(const boost::asio::ip::address& from);
    void crowd_out_one();
    [[nodiscard]] bool crowd_out_proven(const std::string& newcomer);
    void crowd_out_slow();
    void forget_arrival(const LinkSession& session);
    void on_established(LinkSession& session, const std::string& group);
    void on_closed(LinkSession& session, const std::string& why);
    [[nodiscard]] bool prefer_new(const LinkSession& fresh, const LinkSession& held) const;

    boost::asio::io_context& io_;
    TransportOptions options_;
    const SteadyClock& clock_;
    Callbacks callbacks_;
    AgentId self_;
    Key32 noise_static_seed_{};
    boost::asio::ip::tcp::acceptor acceptor_;
    std::map<LinkSession*, SessionPtr> sessions_;
    std::map<AgentId, SessionPtr> by_peer_;
    std::set<LinkSession*> to_flush_;
    std::set<std::string> dialling_;  ///< Until the handshake is over: one attempt an address.
    struct Arrival {
        LinkSession* session = nullptr;
        boost::asio::ip::address from;
    };
    std::vector<Arrival> arrivals_;  ///< Accepted, handshake not finished; oldest first.
    struct Place {
        std::string group;
        std::uint64_t since = 0;  ///< In the order of arrival.
    };
    std::map<LinkSession*, Place> places_;  ///< Accepted, whether or not they are proven.
    std::uint64_t next_place_ = 0;
    std::map<std::string, TokenBucket> paces_;  ///< By address, and by group.
    std::size_t sent_unseen_ = 0;  ///< Bytes since it was last looked at who reads too slowly.
    bool closing_ = false;
    Counters counters_;
};

}  // namespace creto
