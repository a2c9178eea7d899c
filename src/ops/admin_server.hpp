// AdminServer: a node's local HTTP interface: commands as JSON, health, metrics, events.
//
// Why      The command line, scripts, Prometheus and orchestrators look at and use a running node.
// Paths    POST /v1/<command>   a command of api_json.hpp; answers its reply
//               POST /v1/call with "stream": true answers application/x-ndjson: a line for each piece
//               that the tool shows, as it comes, and its reply as the last line
//          GET  /v1/status|peers|reputation|verdicts
//          GET  /v1/events?since=N&wait_ms=M   notices after number N, waiting for the first
//          GET  /v1/events?prefix=P&since=N&wait_ms=M   the same of changes to keys that begin with
//               P; without `since` the watch begins, and the answer says where. "lost" counts those
//               between N and the oldest that is still held: a slow watcher missed them
//          POST /v1/stop        the node leaves in good order
//          GET  /metrics /healthz /readyz
// Holds    Listens on loopback unless told otherwise; beyond it a token is required. A request with a
//          foreign Origin is refused, so that no web page can use a node. Bodies, headers, connections,
//          events kept and waiting times are bounded. Keys are watched while somebody asks for them.
//          [CALL-STREAM.2] A piece counts as taken when it was written: a reader who does not read is
//          sent no more than limits::stream_window_bytes, and one who went away ends its call.
// Errors   400 malformed, 401 token, 403 origin, 404 path, 413 size, 503 not ready.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "ops/api_json.hpp"
#include "ops/event_ring.hpp"
#include "runtime/node_host.hpp"

namespace creto {

struct AdminOptions {
    std::string listen;  ///< "/ip4/127.0.0.1/tcp/9001"; port 0 takes any.
    std::string token;   ///< Empty: none needed, loopback only.
    std::size_t connections_max = 256;
    /// For a request to arrive and for an answer to leave, however slowly the client works.
    std::chrono::milliseconds timeout = std::chrono::seconds{60};
    std::size_t events_max = 10'000;
    /// How long a node goes on watching keys for whom nobody has asked again.
    std::chrono::milliseconds watch_lease = std::chrono::seconds{90};
};

class AdminServer {
public:
    /// The host outlives the server; both run on the host's thread.
    [[nodiscard]] static Result<std::unique_ptr<AdminServer>> open(
        NodeHost& host, AdminOptions options, std::function<void()> on_stop
    );
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    [[nodiscard]] std::string address() const;

private:
    class Session;
    AdminServer(NodeHost& host, AdminOptions options, std::function<void()> on_stop);
    [[nodiscard]] Result<void> listen();
    void accept();
    void record(const Notice& notice);
    /// Keeps the prefix watched; `then` hears whether the node does.
    void watch(const std::string& prefix, NodeHost::ReplyHandler then);
    void drop_old_watches();
    void tell_watches(NodeHost::ReplyHandler then);

    NodeHost& host_;
    AdminOptions options_;
    std::function<void()> on_stop_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer retry_;
    /// Sessions outlive the server by what the event loop still holds of them.
    std::shared_ptr<std::size_t> connections_ = std::make_shared<std::size_t>(0);
    EventRing events_;
    std::map<std::string, std::chrono::steady_clock::time_point>
        watches_;  ///< When last asked for.
    std::vector<std::weak_ptr<Session>> waiting_;
};

}  // namespace creto
