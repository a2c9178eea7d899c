#include "runtime/transport.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "runtime/address.hpp"

namespace creto {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto dial_timeout = std::chrono::seconds{5};

Key32 random_key() {
    Key32 key{};
    fill_random(key);
    return key;
}

}  // namespace

Transport::Transport(
    asio::io_context& io, TransportOptions options, const SteadyClock& clock, Callbacks callbacks
)
    : io_{io},
      options_{std::move(options)},
      clock_{clock},
      callbacks_{std::move(callbacks)},
      self_{ed25519_public_key(options_.key)},
      noise_static_seed_{random_key()},
      acceptor_{io} {}

Transport::~Transport() {
    close();
}

Result<void> Transport::listen() {
    auto endpoint = parse_address(options_.listen);
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    boost::system::error_code error;
    acceptor_.open(endpoint->protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor_.bind(*endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error) {
        const bool taken = error == asio::error::address_in_use;
        return fail(
            taken ? ErrorCode::conflict : ErrorCode::denied,
            "cannot listen on " + options_.listen + ": " + error.message() +
                (taken ? "; another program uses this port, choose another with `listen` in "
                         "creto.toml"
                       : "")
        );
    }
    accept();
    return {};
}

std::string Transport::listen_address() const {
    boost::system::error_code ignored;
    return address_text(acceptor_.local_endpoint(ignored));
}

void Transport::accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
        if (closing_ || error == asio::error::operation_aborted) return;
        if (!error) {
            on_accepted(std::move(socket));
            accept();
            return;
        }
        // Out of file descriptors or the like: try again when some have been freed.
        auto timer = std::make_shared<asio::steady_timer>(io_, std::chrono::milliseconds{50});
        timer->async_wait([this, timer](const boost::system::error_code& cancelled) {
            if (!cancelled && !closing_) accept();
        });
    });
}

void Transport::on_accepted(tcp::socket socket) {
    boost::system::error_code error;
    const tcp::endpoint from = socket.remote_endpoint(error);
    if (error) return;  // It left before we looked.
    if (comes_too_soon(from.address())) {
        ++counters_.refused;
        ++counters_.too_soon;
        return;
    }
    const std::string group = address_group(from.address());
    if (arrivals_.size() >= options_.unproven_max ||
        (sessions_.size() >= options_.connections_max && !arrivals_.empty())) {
        crowd_out_one();
    }
    if (sessions_.size() >= options_.connections_max && !crowd_out_proven(group)) {
        ++counters_.refused;
        return;
    }
    ++counters_.accepted;
    LinkSession& session = adopt(std::move(socket), {}, std::nullopt);
    places_.emplace(&session, Place{group, next_place_++});
    arrivals_.push_back({&session, from.address()});
    session.start();
}

bool Transport::comes_too_soon(const asio::ip::address& from) {
    constexpr std::size_t paces_max = 8'192;
    constexpr std::uint64_t group_share = 4;
    if (paces_.size() >= paces_max) paces_.clear();
    const Instant now = clock_.now();
    const std::string address = from.to_string();
    const std::string group = address_group(from);
    const TokenBucket::Options& pace = options_.arrivals;
    if (paces_.try_emplace(address, pace).first->second.take(1, now)) return true;
    if (group == address) return false;
    const TokenBucket::Options all{pace.rate_per_s * group_share, pace.burst * group_share};
    return paces_.try_emplace(group, all).first->second.take(1, now).has_value();
}

/// Takes the newest place of the group that has most for a newcomer of another group.
bool Transport::crowd_out_proven(const std::string& newcomer) {
    std::map<std::string, std::size_t> counts;
    for (const auto& [session, place] : places_)
        ++counts[place.group];
    const auto greediest =
        std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
            return a.second < b.second;
        });
    if (greediest == counts.end() || counts[newcomer] + 1 >= greediest->second) return false;
    LinkSession* newest = nullptr;
    for (const auto& [session, place] : places_) {
        if (place.group != greediest->first) continue;
        if (newest == nullptr || place.since > places_.at(newest).since) newest = session;
    }
    ++counters_.refused;
    const SessionPtr session = sessions_.at(newest);
    session->close("too many connections from " + greediest->first);
    return true;
}

/// Of the peers that do not read what is sent to them, the one that makes us hold most.
void Transport::crowd_out_slow() {
    std::size_t all = 0;
    SessionPtr slowest;
    for (const auto& [pointer, session] : sessions_) {
        all += session->waiting_bytes();
        if (!slowest || session->waiting_bytes() > slowest->waiting_bytes()) slowest = session;
    }
    if (all > options_.waiting_bytes_max) slowest->close(LinkSession::too_slow);
}

/// The oldest unproven connection of the address that has most of them.
void Transport::crowd_out_one() {
    std::map<asio::ip::address, std::size_t> counts;
    for (const Arrival& arrival : arrivals_)
        ++counts[arrival.from];
    const auto greediest =
        std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
            return a.second < b.second;
        });
    const auto oldest = std::find_if(arrivals_.begin(), arrivals_.end(), [&](const Arrival& a) {
        return a.from == greediest->first;
    });
    ++counters_.refused;
    const SessionPtr session = sessions_.at(oldest->session);
    session->close("too many connections without a handshake");
}

void Transport::forget_arrival(const LinkSession& session) {
    std::erase_if(arrivals_, [&](const Arrival& arrival) { return arrival.session == &session; });
}

void Transport::dial(const std::string& address, const std::optional<AgentId>& peer) {
    if (closing_ || dialling_.count(address) > 0) return;
    // Whom we want to reach is worth a place of whoever has most.
    if (sessions_.size() >= options_.connections_max && !crowd_out_proven({})) return;
    const auto endpoint = parse_address(address);
    if (!endpoint) {
        callbacks_.on_log(endpoint.error().message);
        return;
    }
    auto socket = std::make_shared<tcp::socket>(io_);
    boost::system::error_code error;
    socket->open(endpoint->protocol(), error);
    if (!error && options_.bind_outgoing) {
        socket->bind({acceptor_.local_endpoint(error).address(), 0}, error);
    }
    if (error) {
        ++counters_.dials_failed;
        return;
    }
    ++counters_.dialled;
    dialling_.insert(address);
    auto timer = std::make_shared<asio::steady_timer>(io_, dial_timeout);
    timer->async_wait([socket](const boost::system::error_code& cancelled) {
        boost::system::error_code ignored;
        if (!cancelled) socket->close(ignored);
    });
    socket->async_connect(
        *endpoint,
        [this, socket, timer, address, peer](const boost::system::error_code& failed) {
            timer->cancel();
            if (closing_) return;
            if (failed) {
                dialling_.erase(address);
                ++counters_.dials_failed;
                return;
            }
            adopt(std::move(*socket), address, peer).start();
        }
    );
}

/// Takes the socket in; the caller starts the session.
LinkSession& Transport::adopt(
    tcp::socket socket, const std::string& address, const std::optional<AgentId>& peer
) {
    p2p::Connection::Options options;
    options.role = address.empty() ? p2p::Role::responder : p2p::Role::initiator;
    options.self = self_;
    options.sign = [key = options_.key](ByteView bytes) { return ed25519_sign_raw(key, bytes); };
    options.verify = ed25519_verify_raw;
    options.noise_static_seed = noise_static_seed_;
    options.noise_ephemeral_seed = random_key();
    options.expected_peer = peer;
    options.handshake_timeout = options_.handshake_timeout;
    for (std::size_t i = 0; i < channel_count; ++i) {
        options.protocols.emplace_back(protocol_of(static_cast<Channel>(i)));
    }
    options.yamux.ping_interval = options_.ping_interval;
    options.yamux.ping_timeout = options_.ping_timeout;
    options.yamux.stream_backlog_bytes_max = 8U << 20U;
    options.yamux.total_backlog_bytes_max = 24U << 20U;
    boost::system::error_code unknown;
    const std::string group = address_group(socket.remote_endpoint(unknown).address());
    LinkSession::Callbacks callbacks;
    callbacks.on_established = [this, group](LinkSession& session) {
        on_established(session, group);
    };
    callbacks.on_message = [this](LinkSession& session, Channel channel, SharedBytes message) {
        const auto held = by_peer_.find(session.peer());
        if (held != by_peer_.end() && held->second.get() == &session) {
            return callbacks_.on_message(session.peer(), channel, std::move(message));
        }
        return true;
    };
    callbacks.on_closed = [this](LinkSession& session, const std::string& why) {
        on_closed(session, why);
    };
    auto session = std::make_shared<LinkSession>(
        std::move(socket), std::move(options), address, clock_, std::move(callbacks)
    );
    sessions_.emplace(session.get(), session);
    return *session;
}

/// Both ends must come to the same answer, whoever dialled.
bool Transport::prefer_new(const LinkSession& fresh, const LinkSession& held) const {
    if (clock_.now() - held.last_heard() > options_.stale_after) return true;
    const bool we_dial = self_ < fresh.peer();
    if (fresh.outbound() == held.outbound()) return true;
    return fresh.outbound() == we_dial;
}

void Transport::on_established(LinkSession& session, const std::string& group) {
    forget_arrival(session);
    dialling_.erase(session.dialled_address());
    const AgentId peer = session.peer();
    if (peer == self_) {
        session.close("this is ourselves");
        return;
    }
    const auto held = by_peer_.find(peer);
    if (held != by_peer_.end()) {
        if (!prefer_new(session, *held->second)) {
            session.close("there is a connection to this peer already");
            return;
        }
        const SessionPtr old = held->second;
        old->close("replaced by a newer connection");
    }
    by_peer_[peer] = sessions_.at(&session);
    callbacks_.on_peer_up(peer, session.dialled_address(), group);
}

void Transport::on_closed(LinkSession& session, const std::string& why) {
    const Counters before = counters_;
    counters_.bytes_in = before.bytes_in + session.bytes_in();
    counters_.bytes_out = before.bytes_out + session.bytes_out();
    to_flush_.erase(&session);
    places_.erase(&session);
    if (why == LinkSession::too_slow) ++counters_.too_slow;
    const auto held = sessions_.find(&session);
    if (held == sessions_.end()) return;
    // The session is in the middle of its own call: let it return before it goes.
    asio::post(io_, [keep = held->second] {});
    sessions_.erase(held);
    if (!session.established()) {
        forget_arrival(session);
        dialling_.erase(session.dialled_address());
        ++counters_.handshakes_failed;
        if (!closing_) callbacks_.on_log("handshake failed: " + why);
        return;
    }
    const auto current = by_peer_.find(session.peer());
    if (current == by_peer_.end() || current->second.get() != &session) return;
    const AgentId peer = session.peer();
    by_peer_.erase(current);
    if (!closing_) callbacks_.on_peer_down(peer);
}

void Transport::send(const AgentId& peer, Channel channel, const SharedBytes& message) {
    const auto held = by_peer_.find(peer);
    if (held == by_peer_.end()) return;
    const SessionPtr session = held->second;
    session->send(channel, message);
    if (!session->closed()) to_flush_.insert(session.get());
    constexpr std::size_t look_every = 8ULL << 20U;
    sent_unseen_ += message->size();
    if (sent_unseen_ < look_every) return;
    sent_unseen_ = 0;
    crowd_out_slow();
}

void Transport::flush() {
    while (!to_flush_.empty()) {
        LinkSession* session = *to_flush_.begin();
        to_flush_.erase(to_flush_.begin());
        const auto held = sessions_.find(session);
        if (held == sessions_.end()) continue;
        const SessionPtr keep = held->second;
        keep->flush();
    }
}

void Transport::drop(const AgentId& peer, const std::string& why) {
    const auto held = by_peer_.find(peer);
    if (held == by_peer_.end()) return;
    const SessionPtr session = held->second;
    session->close(why);
}

void Transport::resume(const AgentId& peer) {
    const auto held = by_peer_.find(peer);
    if (held == by_peer_.end()) return;
    const SessionPtr session = held->second;
    session->resume();
}

void Transport::close() {
    if (closing_) return;
    closing_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    const auto sessions = sessions_;
    for (const auto& [pointer, session] : sessions)
        session->close("this node is shutting down");
}

Transport::Counters Transport::counters() const {
    Counters all = counters_;
    for (const auto& [pointer, session] : sessions_) {
        all.bytes_in += session->bytes_in();
        all.bytes_out += session->bytes_out();
    }
    return all;
}

}  // namespace creto
