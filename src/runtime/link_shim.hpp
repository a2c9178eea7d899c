// LinkShim: the network between real processes on one machine: delays, cuts and heals their links.
//
// Why      Partitions between real nodes are made in links, never told to nodes; the kernel here has no
//          netem. Latency and cuts come from the same LinkModel that the simulator uses.
// How      Node j listens on its own loopback address and tells others the shim's address for it. Every
//          node dials from its own address, so the shim knows the pair (i, j) of each connection. Bytes
//          pass when the model says so. Across a cut nothing is read and nothing written: the sender
//          sees its bytes vanish into a silence, as with a pulled cable; after healing they go on, as
//          with retransmission. Where an uplink's queue is full the sender is not read from, as flow
//          control would have it; what reached a narrow downlink waits there.
// Holds    Runs on one thread of its own. Never looks into the bytes.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.hpp"
#include "link/link_model.hpp"
#include "runtime/link_session.hpp"

namespace creto {

struct LinkShimOptions {
    struct Node {
        std::string real;     ///< Where it listens: /ip4/127.0.10.1/tcp/4001
        std::string public_;  ///< What it tells others: /ip4/127.0.11.1/tcp/4001
    };
    std::vector<Node> nodes;
    LinkProfile profile;
    std::uint64_t seed = 1;
};

class LinkShim {
public:
    [[nodiscard]] static Result<std::unique_ptr<LinkShim>> start(LinkShimOptions options);
    ~LinkShim();
    LinkShim(const LinkShim&) = delete;
    LinkShim& operator=(const LinkShim&) = delete;

    /// From any thread. Takes effect before it returns.
    void cut(const std::vector<std::vector<std::uint32_t>>& groups);
    void cut_one_way(const std::vector<std::uint32_t>& from, const std::vector<std::uint32_t>& to);
    void heal();
    void set_extra_latency(std::uint32_t node, Duration extra);
    /// Of all links, every node's bandwidth included. Requires: check() accepts it.
    void set_profile(LinkProfile profile);
    /// The node's own, in place of the profile's; zero for unlimited.
    void set_bandwidth(std::uint32_t node, std::uint64_t bits_per_s);

    struct Counters {
        std::uint64_t connections = 0;
        std::uint64_t bytes = 0;
        std::uint64_t unknown = 0;  ///< Connections from outside the cluster, refused.
    };
    [[nodiscard]] Counters counters();

private:
    struct Pipe;
    struct Link;
    explicit LinkShim(LinkShimOptions options);
    [[nodiscard]] Result<void> listen();
    void accept(std::uint32_t to);
    void on_accepted(boost::asio::ip::tcp::socket socket, std::uint32_t to);
    /// Runs on the shim's thread and waits for it.
    void on_thread(const std::function<void()>& work);
    void links_changed();

    LinkShimOptions options_;
    SteadyClock clock_;
    LinkModel model_;
    boost::asio::io_context io_;
    std::vector<boost::asio::ip::tcp::endpoint> real_;
    std::vector<std::unique_ptr<boost::asio::ip::tcp::acceptor>> acceptors_;
    std::set<std::shared_ptr<Link>> links_;
    std::vector<std::uint64_t> next_number_;  ///< By pair: the model wants its messages numbered.
    Counters counters_;
    std::thread thread_;
};

}  // namespace creto
