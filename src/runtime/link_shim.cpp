#include "runtime/link_shim.hpp"

#include <deque>
#include <future>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "runtime/address.hpp"

namespace creto {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
constexpr std::size_t chunk_bytes = 64ULL * 1024;
/// Bytes of one direction that may be under way; then the sender's window is full.
constexpr std::size_t in_flight_max = 4ULL * 1024 * 1024;
/// How long a sender waits whose uplink was full.
constexpr auto full_pause = std::chrono::milliseconds{5};
}  // namespace

/// One direction of a connection.
struct LinkShim::Pipe : std::enable_shared_from_this<LinkShim::Pipe> {
    struct Chunk {
        Bytes bytes;
        Instant at;
        bool has_arrived = false;  ///< At the receiver's downlink; `at` is when it has passed it.
    };

    Pipe(LinkShim& s, std::shared_ptr<Link> l, tcp::socket& i, tcp::socket& o, NodePair p)
        : shim{s}, link{std::move(l)}, in{i}, out{o}, pair{p}, timer{s.io_}, pause{s.io_} {}

    [[nodiscard]] bool blocked() const { return shim.model_.blocked(pair); }
    void read();
    void take(std::size_t size);
    void write();
    void pass_downlink();

    LinkShim& shim;
    std::weak_ptr<Link> link;
    tcp::socket& in;
    tcp::socket& out;
    NodePair pair;
    asio::steady_timer timer;
    asio::steady_timer pause;
    Bytes buffer = Bytes(chunk_bytes);
    std::deque<Chunk> queue;
    std::size_t in_flight = 0;
    bool reading = false;
    bool writing = false;
    bool input_ended = false;
};

/// A connection between two nodes: the dialler's socket, the listener's, and the two directions.
struct LinkShim::Link : std::enable_shared_from_this<LinkShim::Link> {
    Link(LinkShim& s, tcp::socket socket, NodePair p)
        : shim{s}, near{std::move(socket)}, far{s.io_}, pair{p} {}

    void try_connect() {
        if (connecting || connected || closed || shim.model_.blocked(pair)) return;
        connecting = true;
        boost::system::error_code ignored;
        near.set_option(tcp::no_delay{true}, ignored);
        far.async_connect(
            shim.real_[pair.to.value()],
            [self = shared_from_this()](const boost::system::error_code& error) {
                self->connecting = false;
                if (error || self->closed) {
                    self->close();
                    return;
                }
                self->connected = true;
                boost::system::error_code none;
                self->far.set_option(tcp::no_delay{true}, none);
                self->forth =
                    std::make_shared<Pipe>(self->shim, self, self->near, self->far, self->pair);
                self->back = std::make_shared<Pipe>(
                    self->shim,
                    self,
                    self->far,
                    self->near,
                    NodePair{self->pair.to, self->pair.from}
                );
                self->forth->read();
                self->back->read();
            }
        );
    }
    void changed() {
        try_connect();
        for (const auto& pipe : {forth, back}) {
            if (!pipe) continue;
            pipe->read();
            pipe->write();
        }
    }
    void close() {
        if (closed) return;
        closed = true;
        boost::system::error_code ignored;
        near.close(ignored);
        far.close(ignored);
        for (const auto& pipe : {forth, back}) {
            if (!pipe) continue;
            pipe->timer.cancel();
            pipe->pause.cancel();
        }
        shim.links_.erase(shared_from_this());
    }

    LinkShim& shim;
    tcp::socket near;
    tcp::socket far;
    NodePair pair;
    std::shared_ptr<Pipe> forth;
    std::shared_ptr<Pipe> back;
    bool connecting = false;
    bool connected = false;
    bool closed = false;
};

void LinkShim::Pipe::read() {
    if (reading || input_ended || blocked() || in_flight >= in_flight_max) return;
    reading = true;
    in.async_read_some(
        asio::buffer(buffer),
        [self = shared_from_this(),
         keep = link.lock()](const boost::system::error_code& error, std::size_t size) {
            if (!keep || keep->closed) return;
            if (error) {
                self->reading = false;
                // An end, too, crosses a cut only when it is healed.
                self->input_ended = true;
                self->write();
                return;
            }
            self->take(size);
        }
    );
}

/// Puts what was read on its way; while the uplink has no room for it nothing more is read.
void LinkShim::Pipe::take(std::size_t size) {
    const Instant now = shim.clock_.now();
    const std::size_t index = pair.from.value() * shim.real_.size() + pair.to.value();
    const LinkPlan plan = shim.model_.plan(pair, size, now, shim.next_number_[index]++);
    if (plan.outcome == LinkOutcome::overflow) {
        pause.expires_after(full_pause);
        pause.async_wait([self = shared_from_this(),
                          keep = link.lock(),
                          size](const boost::system::error_code& error) {
            if (!error && keep && !keep->closed) self->take(size);
        });
        return;
    }
    reading = false;
    // Bytes that were read just before the cut are on the wire: they arrive after it.
    const Instant at = plan.copies > 0 ? plan.at[0] : now;
    queue.push_back({Bytes(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)), at}
    );
    in_flight += size;
    shim.counters_.bytes += size;
    write();
    read();
}

/// What is due has reached the downlink, and may have to wait there.
void LinkShim::Pipe::pass_downlink() {
    Chunk& chunk = queue.front();
    if (chunk.has_arrived || chunk.at > shim.clock_.now()) return;
    chunk.has_arrived = true;
    if (!shim.model_.has_downlink_queue(pair.to)) return;
    const auto passed = shim.model_.arrive(pair.to, chunk.bytes.size(), shim.clock_.now());
    if (passed) chunk.at = *passed;
}

void LinkShim::Pipe::write() {
    if (writing || blocked()) return;
    const auto keep = link.lock();
    if (!keep || keep->closed) return;
    if (queue.empty()) {
        if (input_ended) keep->close();
        return;
    }
    writing = true;
    pass_downlink();
    const auto send = [self = shared_from_this(), keep] {
        asio::async_write(
            self->out,
            asio::buffer(self->queue.front().bytes),
            [self, keep](const boost::system::error_code& error, std::size_t size) {
                self->writing = false;
                if (error) {
                    keep->close();
                    return;
                }
                self->in_flight -= size;
                self->queue.pop_front();
                self->write();
                self->read();
            }
        );
    };
    if (queue.front().at <= shim.clock_.now()) {
        send();
        return;
    }
    timer.expires_at(shim.clock_.at(queue.front().at));
    timer.async_wait([self = shared_from_this(), keep, send](const boost::system::error_code& error
                     ) {
        if (error || keep->closed) return;
        if (self->blocked() || !self->queue.front().has_arrived) {
            self->writing = false;
            self->write();
            return;
        }
        send();
    });
}

Result<std::unique_ptr<LinkShim>> LinkShim::start(LinkShimOptions options) {
    std::unique_ptr<LinkShim> shim{new LinkShim{std::move(options)}};
    if (auto listening = shim->listen(); !listening) {
        return tl::unexpected<Error>(listening.error());
    }
    shim->thread_ = std::thread{[s = shim.get()] {
        const auto keep = asio::make_work_guard(s->io_);
        s->io_.run();
    }};
    return shim;
}

LinkShim::LinkShim(LinkShimOptions options)
    : options_{std::move(options)},
      model_{options_.seed, static_cast<std::uint32_t>(options_.nodes.size()), options_.profile},
      next_number_(options_.nodes.size() * options_.nodes.size()) {}

LinkShim::~LinkShim() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
}

Result<void> LinkShim::listen() {
    for (std::uint32_t i = 0; i < options_.nodes.size(); ++i) {
        auto real = parse_address(options_.nodes[i].real);
        if (!real) return tl::unexpected<Error>(real.error());
        auto open = parse_address(options_.nodes[i].public_);
        if (!open) return tl::unexpected<Error>(open.error());
        real_.push_back(*real);
        auto acceptor = std::make_unique<tcp::acceptor>(io_);
        boost::system::error_code error;
        acceptor->open(open->protocol(), error);
        if (!error) acceptor->set_option(tcp::acceptor::reuse_address{true}, error);
        if (!error) acceptor->bind(*open, error);
        if (!error) acceptor->listen(tcp::acceptor::max_listen_connections, error);
        if (error) {
            return fail(
                ErrorCode::conflict,
                "link shim: cannot listen on " + options_.nodes[i].public_ + ": " + error.message()
            );
        }
        acceptors_.push_back(std::move(acceptor));
        accept(i);
    }
    return {};
}

void LinkShim::accept(std::uint32_t to) {
    acceptors_[to]->async_accept([this,
                                  to](const boost::system::error_code& error, tcp::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (!error) on_accepted(std::move(socket), to);
        accept(to);
    });
}

void LinkShim::on_accepted(tcp::socket socket, std::uint32_t to) {
    boost::system::error_code error;
    const auto source = socket.remote_endpoint(error).address();
    for (std::uint32_t i = 0; i < real_.size() && !error; ++i) {
        if (real_[i].address() != source) continue;
        ++counters_.connections;
        auto link =
            std::make_shared<Link>(*this, std::move(socket), NodePair{NodeIndex{i}, NodeIndex{to}});
        links_.insert(link);
        link->try_connect();
        return;
    }
    ++counters_.unknown;
    socket.close(error);
}

void LinkShim::on_thread(const std::function<void()>& work) {
    std::promise<void> done;
    asio::post(io_, [&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

void LinkShim::links_changed() {
    const auto links = links_;
    for (const auto& link : links)
        link->changed();
}

void LinkShim::cut(const std::vector<std::vector<std::uint32_t>>& groups) {
    on_thread([&] {
        std::vector<std::vector<NodeIndex>> indices;
        for (const auto& group : groups) {
            indices.emplace_back();
            for (const std::uint32_t i : group)
                indices.back().emplace_back(i);
        }
        model_.cut(indices);
        links_changed();
    });
}

void LinkShim::cut_one_way(
    const std::vector<std::uint32_t>& from, const std::vector<std::uint32_t>& to
) {
    on_thread([&] {
        std::vector<NodeIndex> senders;
        std::vector<NodeIndex> receivers;
        for (const std::uint32_t i : from)
            senders.emplace_back(i);
        for (const std::uint32_t i : to)
            receivers.emplace_back(i);
        model_.cut_one_way(senders, receivers);
        links_changed();
    });
}

void LinkShim::heal() {
    on_thread([&] {
        model_.heal();
        links_changed();
    });
}

void LinkShim::set_extra_latency(std::uint32_t node, Duration extra) {
    on_thread([&] { model_.set_extra_latency(NodeIndex{node}, extra); });
}

void LinkShim::set_profile(LinkProfile profile) {
    on_thread([&] { model_.set_profile(std::move(profile)); });
}

void LinkShim::set_bandwidth(std::uint32_t node, std::uint64_t bits_per_s) {
    on_thread([&] { model_.set_bandwidth(NodeIndex{node}, bits_per_s); });
}

LinkShim::Counters LinkShim::counters() {
    Counters out;
    on_thread([&] { out = counters_; });
    return out;
}

}  // namespace creto
