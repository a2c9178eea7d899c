#include "system/raw_peer.hpp"

#include <boost/asio/post.hpp>

namespace creto::system_test {

namespace asio = boost::asio;

namespace {
constexpr auto redial_interval = std::chrono::milliseconds{250};
}

RawPeer::RawPeer(const KeySeed& key, OnMessage on_message, bool reconnect)
    : key_{key},
      agent_{ed25519_public_key(key)},
      on_message_{std::move(on_message)},
      reconnect_{reconnect},
      keep_{asio::make_work_guard(io_)},
      timer_{io_} {
    TransportOptions options;
    options.key = key;
    Transport::Callbacks callbacks;
    callbacks.on_peer_up =
        [this](const AgentId& peer, const std::string& /*address*/, const std::string& /*group*/) {
            const std::lock_guard lock{mutex_};
            up_.insert(peer);
            changed_.notify_all();
        };
    callbacks.on_peer_down = [this](const AgentId& peer) {
        const std::lock_guard lock{mutex_};
        up_.erase(peer);
        changed_.notify_all();
    };
    callbacks.on_message = [this](const AgentId& from, Channel /*channel*/, SharedBytes message) {
        if (on_message_) on_message_(from, message);
        return !is_deaf_;
    };
    callbacks.on_log = [](const std::string& /*line*/) {};
    transport_ = std::make_unique<Transport>(io_, options, clock_, std::move(callbacks));
    if (reconnect_) redial_on_time();
    thread_ = std::thread{[this] { io_.run(); }};
}

RawPeer::~RawPeer() {
    asio::post(io_, [this] {
        timer_.cancel();
        transport_->close();
        keep_.reset();
        io_.stop();
    });
    thread_.join();
}

void RawPeer::dial(const AgentId& peer) {
    transport_->dial(addresses_.at(peer), peer);
}

void RawPeer::redial_on_time() {
    timer_.expires_after(redial_interval);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        for (const auto& [peer, address] : addresses_) {
            bool is_up = false;
            {
                const std::lock_guard lock{mutex_};
                is_up = up_.contains(peer);
            }
            if (!is_up) dial(peer);
        }
        redial_on_time();
    });
}

void RawPeer::connect(const std::string& address, const AgentId& peer) {
    asio::post(io_, [this, address, peer] {
        addresses_[peer] = address;
        dial(peer);
    });
}

bool RawPeer::connected(const AgentId& peer, std::chrono::milliseconds timeout) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, timeout, [&] { return up_.contains(peer); });
}

bool RawPeer::disconnected(const AgentId& peer, std::chrono::milliseconds timeout) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, timeout, [&] { return !up_.contains(peer); });
}

void RawPeer::send(const AgentId& peer, Channel channel, Bytes message) {
    asio::post(io_, [this, peer, channel, bytes = share(std::move(message))] {
        transport_->send(peer, channel, bytes);
        transport_->flush();
    });
}

}  // namespace creto::system_test
