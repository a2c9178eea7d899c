#include "runtime/node_host.hpp"

#include <thread>

#include <boost/asio/post.hpp>

#include "runtime/wall_clock.hpp"
#include "store/journal.hpp"

namespace creto {

namespace asio = boost::asio;

namespace {

/// How long a leaving node stays to let its goodbye out.
constexpr auto goodbye_time = std::chrono::milliseconds{200};

}  // namespace

Result<std::unique_ptr<NodeHost>> NodeHost::open(
    NodeHostOptions options, Store& store, VoteLog& votes, Log& log
) {
    if (auto good = validate(options.node.genesis); !good) {
        return tl::unexpected<Error>(good.error());
    }
    Ed25519Scheme scheme;
    auto signer = scheme.signer(options.transport.key);
    std::unique_ptr<NodeHost> host{
        new NodeHost{std::move(options), std::move(signer), store, votes, log}};
    if (auto ready = host->prepare(); !ready) return tl::unexpected<Error>(ready.error());
    return host;
}

NodeHost::NodeHost(
    NodeHostOptions options, std::unique_ptr<Signer> signer, Store& store, VoteLog& votes, Log& log
)
    : options_{std::move(options)},
      log_{log},
      store_{store},
      votes_{votes},
      trace_{options_.trace},
      signer_{std::move(signer)},
      timer_{io_},
      goodbye_{io_},
      transport_{
          io_,
          options_.transport,
          clock_,
          {.on_peer_up =
               [this](const AgentId& peer, const std::string& address, const std::string& group) {
                   on_link(peer, PeerUp{peer, address, group});
               },
           .on_peer_down = [this](const AgentId& peer) { on_link(peer, PeerDown{peer}); },
           .on_message = [this](
                             const AgentId& from, Channel channel, SharedBytes message
                         ) { return hear(from, channel, std::move(message)); },
           .on_log = [this](const std::string& line) { log_.debug(line); }}},
      checks_{options_.check_threads},
      tools_{
          options_.tools,
          [this](Executed done) {
              asio::post(io_, [this, done = std::move(done)] { deliver(done); });
          },
          [this](ToolRunner::TakePieces take) {
              asio::post(io_, [this, take = std::move(take)] { deliver(take()); });
          }},
      disk_{
          store,
          votes,
          trace_,
          {.on_persisted =
               [this](std::vector<Ticket> tickets) {
                   asio::post(io_, [this, tickets = std::move(tickets)] { on_persisted(tickets); });
               },
           .on_failed =
               [this](std::string reason) {
                   asio::post(io_, [this, reason = std::move(reason)] {
                       deliver(StoreFailed{reason});
                   });
               }}} {}

NodeHost::~NodeHost() {
    tools_.stop();
    checks_.stop();
    disk_.stop();
    transport_.close();
}

Result<void> NodeHost::prepare() {
    auto votes = votes_.read();
    if (!votes) return tl::unexpected<Error>(votes.error());
    journal::drop_batches(*votes);
    if (auto listening = transport_.listen(); !listening) return listening;
    options_.node.addresses =
        options_.advertise.empty() ? std::vector{transport_.listen_address()} : options_.advertise;
    node_ = std::make_unique<Node>(options_.node, *signer_, log_);
    return node_->restore(store_, *votes);
}

void NodeHost::run() {
    asio::post(io_, [this] { deliver(Start{unix_ms_now()}); });
    const auto keep = asio::make_work_guard(io_);
    io_.run();
    for (auto& [ticket, handler] : commands_) {
        handler(Error{ErrorCode::unavailable, "this node is shutting down"});
    }
    commands_.clear();
    watched_calls_.clear();
}

void NodeHost::stop() {
    if (stopping_.exchange(true)) return;
    asio::post(io_, [this] {
        deliver(Command{Ticket{}, Drain{}});
        goodbye_.expires_after(goodbye_time);
        goodbye_.async_wait([this](const boost::system::error_code& /*ignored*/) {
            stopped_ = true;
            transport_.close();
            io_.stop();
        });
    });
}

Ticket NodeHost::command(CommandBody body, ReplyHandler handler) {
    return command(std::move(body), PieceHandler{}, std::move(handler));
}

Ticket NodeHost::command(CommandBody body, PieceHandler pieces, ReplyHandler handler) {
    const Ticket ticket{next_command_++};
    asio::post(
        io_,
        [this,
         ticket,
         body = std::move(body),
         pieces = std::move(pieces),
         handler = std::move(handler)]() mutable {
            commands_.emplace(ticket, std::move(handler));
            if (pieces) watched_calls_.emplace(ticket, std::move(pieces));
            deliver(Command{ticket, std::move(body)});
        }
    );
    return ticket;
}

void NodeHost::set_tools(
    std::shared_ptr<const RegistrySnapshot> tools, std::set<std::string, std::less<>> quick
) {
    std::vector<ToolOffer> offers = tools->offers();
    tools_.set_tools(std::move(tools), std::move(quick));
    command(ToolsChanged{std::move(offers)}, [](const ReplyBody& /*done*/) {});
}

/// One event at a time: what an effect causes at once waits for the current event to end.
void NodeHost::deliver(Event event) {
    inbox_.push_back(std::move(event));
    if (delivering_) return;
    delivering_ = true;
    while (!inbox_.empty()) {
        const Event next = std::move(inbox_.front());
        inbox_.pop_front();
        trace_.note(next);
        carry_out(node_->on_event(next, clock_.now()));
    }
    delivering_ = false;
    write_turn();
    transport_.flush();
}

/// A message waits for its sender's turn. What was read in one piece was all of one peer: it is heard
/// when the others had a chance to be read as well.
bool NodeHost::hear(const AgentId& from, Channel channel, SharedBytes message) {
    const std::size_t bytes = message->size();
    inbound_.push(from, channel, bytes, Received{from, channel, std::move(message)});
    take_turns_soon();
    if (!inbound_.is_crowded(from)) return true;
    if (crowded_.insert(from).second) ++times_crowded_;
    return false;
}

void NodeHost::take_turns_soon() {
    if (turns_due_) return;
    turns_due_ = true;
    asio::post(io_, [this] { take_turns(); });
}

/// A few messages, then whatever else there is to do: who comes meanwhile waits for no more than these.
/// What they cause is written and sent together: a write for each costs more than all the rest.
void NodeHost::take_turns() {
    constexpr std::size_t messages_max = 64;
    constexpr std::size_t messages_of_many_max = 16;
    constexpr std::size_t bytes_max = 64ULL * 1024;
    turns_due_ = false;
    std::optional<Event> last;
    std::optional<AgentId> first;
    std::size_t bytes = 0;
    std::size_t most = messages_max;  // As long as there is nobody else to be fair to.
    for (std::size_t i = 0; i < most && bytes < bytes_max && !inbound_.empty(); ++i) {
        if (last) inbox_.push_back(std::move(*last));
        auto next = inbound_.pop();
        if (first && *first != next.key) most = messages_of_many_max;
        first = next.key;
        if (const auto* received = std::get_if<Received>(&next.item))
            bytes += received->message->size();
        last = std::move(next.item);
        if (crowded_.empty() || !inbound_.has_room(next.key)) continue;
        if (crowded_.erase(next.key) > 0) transport_.resume(next.key);
    }
    if (last) deliver(std::move(*last));
    if (!inbound_.empty()) take_turns_soon();
}

/// What it said before it went is heard before.
void NodeHost::on_link(const AgentId& peer, Event event) {
    if (inbound_.push_link(peer, event)) return take_turns_soon();
    crowded_.erase(peer);
    deliver(std::move(event));
}

void NodeHost::write_turn() {
    if (to_disk_.empty()) return;
    std::vector<Persist> turn = std::exchange(to_disk_, {});
    transport_.flush();  // What need not wait for the disk does not.
    if (const auto tickets = disk_.write_at_once(turn)) {
        on_persisted(*tickets);
    } else {
        disk_.write(std::move(turn));
    }
}

void NodeHost::carry_out(std::vector<Effect> effects) {
    for (Effect& effect : effects)
        carry_out(effect);
}

void NodeHost::carry_out(Effect& effect) {
    struct CarryOut {
        NodeHost& host;
        void operator()(Send& e) const { host.send(std::move(e)); }
        void operator()(Persist& e) const { host.to_disk_.push_back(std::move(e)); }
        void operator()(Load& e) const { host.load(e); }
        void operator()(Scan& e) const { host.scan(e); }
        void operator()(Check& e) const { host.check(std::move(e)); }
        void operator()(Execute& e) const {
            if (auto done = host.tools_.execute(e)) host.inbox_.emplace_back(std::move(*done));
        }
        void operator()(CancelExecute& e) const { host.tools_.cancel(e.ticket); }
        void operator()(WakeAt& e) const { host.wake_at(e.at); }
        void operator()(Reply& e) const { host.reply(std::move(e)); }
        void operator()(ShowPiece& e) const {
            const auto watcher = host.watched_calls_.find(e.command);
            if (watcher != host.watched_calls_.end()) watcher->second(e.shown);
        }
        void operator()(Publish& e) const {
            for (const NoticeHandler& handler : host.notice_handlers_)
                handler(*e.notice);
        }
        void operator()(Drop& e) const {
            (void)host.inbound_.take(e.peer);  // It has said enough.
            host.crowded_.erase(e.peer);
            host.transport_.drop(e.peer, e.reason);
        }
        void operator()(Dial& e) const { host.transport_.dial(e.address, e.peer); }
    };
    trace_.note(effect);
    std::visit(CarryOut{*this}, effect);
}

void NodeHost::send(Send send) {
    if (send.after > durable_) {
        held_[send.after].push_back(std::move(send));
        return;
    }
    transport_.send(send.to, send.channel, send.message);
}

void NodeHost::on_persisted(const std::vector<Ticket>& tickets) {
    for (const Ticket ticket : tickets)
        durable_ = std::max(durable_, ticket);
    while (!held_.empty() && held_.begin()->first <= durable_) {
        for (Send& send : held_.begin()->second) {
            transport_.send(send.to, send.channel, send.message);
        }
        held_.erase(held_.begin());
    }
    for (const Ticket ticket : tickets)
        deliver(Persisted{ticket});
    transport_.flush();
}

CheckDone NodeHost::verify(const Check& check) const {
    CheckDone done{.ticket = check.ticket};
    for (const CheckItem& item : check.items)
        done.good += holds(scheme_, item) ? 1 : 0;
    return done;
}

/// To wake another thread and be woken by it takes longer than to check two signatures.
void NodeHost::check(Check check) {
    constexpr std::size_t items_at_once = 2;
    if (check.items.size() <= items_at_once && checks_.idle()) {
        inbox_.emplace_back(verify(check));
        return;
    }
    auto shared = std::make_shared<Check>(std::move(check));
    checks_.post(
        shared->from,
        [this, shared] { asio::post(io_, [this, done = verify(*shared)] { deliver(done); }); },
        shared->ticket.value(),
        Duration::from_us(50 * static_cast<std::int64_t>(shared->items.size()))
    );
}

void NodeHost::load(const Load& load) {
    Loaded loaded{.ticket = load.ticket};
    for (const Bytes& key : load.keys) {
        auto value = store_.get(load.column, key);
        if (!value) log_.error(value.error().message);
        loaded.values.push_back(value ? std::move(*value) : std::nullopt);
    }
    inbox_.emplace_back(std::move(loaded));
}

void NodeHost::scan(const Scan& scan) {
    Loaded loaded{.ticket = scan.ticket};
    auto scanned = store_.scan(scan.column, scan.from, scan.to, [&](ByteView key, ByteView value) {
        loaded.keys.emplace_back(key.begin(), key.end());
        loaded.values.emplace_back(Bytes{value.begin(), value.end()});
        return loaded.values.size() < scan.count;
    });
    if (!scanned) log_.error(scanned.error().message);
    inbox_.emplace_back(std::move(loaded));
}

void NodeHost::wake_at(Instant at) {
    timer_.expires_at(clock_.at(at));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && !stopped_) deliver(Woke{});
    });
}

void NodeHost::reply(Reply reply) {
    const auto found = commands_.find(reply.ticket);
    if (found == commands_.end()) return;
    const ReplyHandler handler = std::move(found->second);
    commands_.erase(found);
    watched_calls_.erase(reply.ticket);
    handler(std::move(*reply.body));
}

}  // namespace creto
