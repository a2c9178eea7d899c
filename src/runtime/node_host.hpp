// NodeHost: one real node: the protocol on one thread, its disk, checks and tools on others.
//
// Why      The Node says what is to be done; this does it with sockets, RocksDB and threads.
// Holds    A Send waits until the ticket that it names is durable. Events reach the node one at a time, on
//          the thread that calls run(); what peers say in turn (node/inbound.hpp), and between two
//          turns sockets are read and timers seen to. Every command is answered, also when the host stops.
// Errors   From open(): another process uses the folder, damaged storage, port in use; with what to do.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "node/inbound.hpp"
#include "node/node.hpp"
#include "runtime/disk_writer.hpp"
#include "runtime/event_trace.hpp"
#include "runtime/tool_runner.hpp"
#include "runtime/transport.hpp"
#include "runtime/worker_pool.hpp"
#include "store/store.hpp"

namespace creto {

struct NodeHostOptions {
    NodeOptions node;
    TransportOptions transport;
    std::size_t check_threads = 1;
    ToolRunner::Options tools;
    /// Addresses to tell others instead of the listening one (behind a shim or a NAT).
    std::vector<std::string> advertise;
    std::string trace;  ///< A file for an EventTrace; empty: none.
};

class NodeHost {
public:
    using ReplyHandler = std::function<void(ReplyBody)>;
    using PieceHandler = std::function<void(const ShownPiece&)>;
    using NoticeHandler = std::function<void(const Notice&)>;

    /// Store and vote log outlive the host. Listens; does not run yet.
    [[nodiscard]] static Result<std::unique_ptr<NodeHost>> open(
        NodeHostOptions options, Store& store, VoteLog& votes, Log& log
    );
    ~NodeHost();
    NodeHost(const NodeHost&) = delete;
    NodeHost& operator=(const NodeHost&) = delete;

    /// Runs until stop(). Call from one thread.
    void run();
    /// Says goodbye to the mesh and lets run() return. From any thread.
    void stop();

    /// From any thread. The handler runs on the protocol thread. Returns the command's ticket.
    Ticket command(CommandBody body, ReplyHandler handler);
    /// The same, of a call whose pieces are to be seen; these come before the reply. Whoever has done
    /// with some says so by a command PiecesTaken with the ticket: unless it does, few come.
    Ticket command(CommandBody body, PieceHandler pieces, ReplyHandler handler);
    /// From any thread: takes the tools into service and tells the mesh.
    void set_tools(
        std::shared_ptr<const RegistrySnapshot> tools, std::set<std::string, std::less<>> quick
    );
    /// Before run(). Called on the protocol thread.
    void on_notice(NoticeHandler handler) { notice_handlers_.push_back(std::move(handler)); }

    [[nodiscard]] boost::asio::io_context& io() { return io_; }
    [[nodiscard]] ToolRunner& tools() { return tools_; }
    [[nodiscard]] std::string listen_address() const { return transport_.listen_address(); }
    [[nodiscard]] const AgentId& agent() const { return node_->agent(); }
    /// Counters for /metrics. On the protocol thread only.
    [[nodiscard]] Transport::Counters transport_counters() const { return transport_.counters(); }
    [[nodiscard]] std::uint64_t runs_overloaded() const { return tools_.overloaded(); }
    [[nodiscard]] std::uint64_t times_crowded() const { return times_crowded_; }
    [[nodiscard]] std::size_t peers() const { return transport_.peers(); }
    [[nodiscard]] const DiskWriter::Counters& disk_counters() const { return disk_.counters(); }
    [[nodiscard]] StatusReply status() const { return node_->status(); }

private:
    NodeHost(
        NodeHostOptions options,
        std::unique_ptr<Signer> signer,
        Store& store,
        VoteLog& votes,
        Log& log
    );
    [[nodiscard]] Result<void> prepare();

    void deliver(Event event);
    [[nodiscard]] bool hear(const AgentId& from, Channel channel, SharedBytes message);
    void take_turns();
    void take_turns_soon();
    void on_link(const AgentId& peer, Event event);
    void write_turn();
    void carry_out(std::vector<Effect> effects);
    void carry_out(Effect& effect);
    void send(Send send);
    void check(Check check);
    [[nodiscard]] CheckDone verify(const Check& check) const;
    void load(const Load& load);
    void scan(const Scan& scan);
    void on_persisted(const std::vector<Ticket>& tickets);
    void wake_at(Instant at);
    void reply(Reply reply);

    NodeHostOptions options_;
    Log& log_;
    Store& store_;
    VoteLog& votes_;
    SteadyClock clock_;
    EventTrace trace_;
    Ed25519Scheme scheme_;
    std::unique_ptr<Signer> signer_;
    boost::asio::io_context io_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer goodbye_;
    std::unique_ptr<Node> node_;
    Transport transport_;
    WorkerPool checks_;
    ToolRunner tools_;
    DiskWriter disk_;

    std::deque<Event> inbox_;    ///< What effects of this turn caused.
    Inbound<Event> inbound_;     ///< What peers said, and that they came and went.
    std::set<AgentId> crowded_;  ///< Who is not read from.
    bool turns_due_ = false;
    std::uint64_t times_crowded_ = 0;
    std::vector<Persist> to_disk_;  ///< What this turn wants written.
    bool delivering_ = false;
    Ticket durable_;  ///< Every ticket up to this one is durable.
    std::map<Ticket, std::vector<Send>> held_;
    std::map<Ticket, ReplyHandler> commands_;
    std::map<Ticket, PieceHandler> watched_calls_;  ///< Of commands_.
    std::atomic<std::uint64_t> next_command_{1};
    std::vector<NoticeHandler> notice_handlers_;
    std::atomic<bool> stopping_{false};
    bool stopped_ = false;
};

}  // namespace creto
