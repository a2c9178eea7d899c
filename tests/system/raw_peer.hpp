// RawPeer: an authenticated peer without a node behind it: says any bytes, hears everything.
//
// Why      An observer that never votes and a liar that sends what no correct agent sends both need the
//          real transport and nothing above it.
// Holds    Its own thread carries the sockets; all methods are called from others. A lost connection is
//          dialled again, unless reconnect is off.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "runtime/transport.hpp"

namespace creto::system_test {

class RawPeer {
public:
    using OnMessage = std::function<void(const AgentId& from, const SharedBytes& message)>;

    /// `on_message` is called on this peer's thread.
    explicit RawPeer(const KeySeed& key, OnMessage on_message = {}, bool reconnect = false);
    ~RawPeer();
    RawPeer(const RawPeer&) = delete;
    RawPeer& operator=(const RawPeer&) = delete;

    [[nodiscard]] const AgentId& agent() const { return agent_; }
    [[nodiscard]] const KeySeed& key() const { return key_; }
    /// Dials now, whatever was before.
    void connect(const std::string& address, const AgentId& peer);
    /// Waits for the handshake.
    [[nodiscard]] bool connected(const AgentId& peer, std::chrono::milliseconds timeout);
    [[nodiscard]] bool disconnected(const AgentId& peer, std::chrono::milliseconds timeout);
    void send(const AgentId& peer, Channel channel, Bytes message);
    /// Reads nothing any more from a peer that says one thing more.
    void go_deaf() { is_deaf_ = true; }

private:
    void dial(const AgentId& peer);
    void redial_on_time();

    KeySeed key_;
    AgentId agent_;
    OnMessage on_message_;
    bool reconnect_;
    std::atomic<bool> is_deaf_{false};
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_;
    boost::asio::steady_timer timer_;
    SteadyClock clock_;
    std::unique_ptr<Transport> transport_;
    std::map<AgentId, std::string> addresses_;  ///< On the thread only.
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<AgentId> up_;
    std::thread thread_;
};

}  // namespace creto::system_test
