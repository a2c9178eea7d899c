#include "runtime/link_session.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace creto {

namespace asio = boost::asio;

namespace {

/// Bytes that may wait for a slow peer before the connection is given up.
constexpr std::size_t waiting_bytes_max = 64ULL * 1024 * 1024;
constexpr std::size_t read_bytes = 256ULL * 1024;
/// At first, and again after a peer had to wait for its turn: what is read at once is handled at once.
constexpr std::size_t read_bytes_min = 32ULL * 1024;

constexpr std::array<const char*, channel_count> protocols{
    "/creto/order/1.0.0", "/creto/data/1.0.0", "/creto/call/1.0.0"};

}  // namespace

const char* protocol_of(Channel channel) {
    return protocols[static_cast<std::size_t>(channel)];
}

std::chrono::steady_clock::time_point SteadyClock::at(Instant instant) const {
    // Far instants would overflow the clock: a year is as good as never.
    constexpr std::int64_t year_ns = 365LL * 86'400 * 1'000'000'000;
    return origin_ + std::chrono::nanoseconds{std::min(instant.ns(), year_ns)};
}

LinkSession::LinkSession(
    asio::ip::tcp::socket socket,
    p2p::Connection::Options options,
    std::string dialled_address,
    const SteadyClock& clock,
    Callbacks callbacks
)
    : socket_{std::move(socket)},
      timer_{socket_.get_executor()},
      connection_{std::move(options), clock.now()},
      dialled_address_{std::move(dialled_address)},
      clock_{clock},
      callbacks_{std::move(callbacks)},
      read_buffer_(read_bytes),
      read_size_{read_bytes_min},
      last_heard_{clock.now()} {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

void LinkSession::start() {
    read();
    act();
}

void LinkSession::read() {
    if (reading_ || closed_ || paused_) return;
    reading_ = true;
    socket_.async_read_some(
        asio::buffer(read_buffer_, read_size_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
            self->reading_ = false;
            self->on_read(error, size);
        }
    );
}

void LinkSession::on_read(const boost::system::error_code& error, std::size_t size) {
    if (closed_) return;
    if (error) {
        connection_.on_end();
        close(error == asio::error::eof ? "the peer closed the connection" : error.message());
        return;
    }
    last_heard_ = clock_.now();
    bytes_in_ += size;
    connection_.on_bytes(ByteView{read_buffer_}.first(size), last_heard_);
    if (size == read_size_) read_size_ = std::min(read_bytes, 2 * read_size_);
    act();
    read();
}

void LinkSession::resume() {
    if (!paused_) return;
    paused_ = false;
    read();
}

/// Lets the connection's events happen, then writes what it has to say.
void LinkSession::act() {
    for (auto events = connection_.take_events(); !events.empty() && !closed_;
         events = connection_.take_events()) {
        for (const p2p::ConnectionEvent& event : events) {
            on_event(event);
            if (closed_) return;
        }
    }
    flush();
    arm();
}

void LinkSession::on_event(const p2p::ConnectionEvent& event) {
    if (std::holds_alternative<p2p::Established>(event)) {
        established_ = true;
        callbacks_.on_established(*this);
    } else if (const auto* opened = std::get_if<p2p::StreamOpened>(&event)) {
        if (!opened->inbound) return;
        for (std::size_t i = 0; i < channel_count; ++i) {
            if (opened->protocol != protocols[i]) continue;
            in_.insert_or_assign(opened->stream, Incoming{static_cast<Channel>(i)});
        }
    } else if (const auto* data = std::get_if<p2p::StreamData>(&event)) {
        on_data(*data);
    } else if (const auto* finished = std::get_if<p2p::StreamFinished>(&event)) {
        in_.erase(finished->stream);
        connection_.finish(finished->stream);
    } else if (const auto* reset = std::get_if<p2p::StreamReset>(&event)) {
        in_.erase(reset->stream);
        for (Outgoing& out : out_) {
            if (out.stream != reset->stream) continue;
            // The peer does not take our messages: without its channels it is no peer.
            close("the peer refused a stream: " + reset->reason.message);
            return;
        }
    } else if (std::holds_alternative<p2p::StreamWritable>(event)) {
        flush();
    } else if (const auto* ended = std::get_if<p2p::Closed>(&event)) {
        write();
        close(ended->reason.message);
    }
}

void LinkSession::on_data(const p2p::StreamData& event) {
    const auto found = in_.find(event.stream);
    if (found == in_.end()) {
        connection_.consume(event.stream, event.data.size(), clock_.now());
        return;
    }
    ByteView input{event.data};
    while (!input.empty()) {
        auto message = found->second.reader.next(input);
        if (!message) {
            close("malformed frame: " + message.error().message);
            return;
        }
        if (!*message) break;
        const bool more = callbacks_.on_message(
            *this, found->second.channel, share(Bytes((*message)->begin(), (*message)->end()))
        );
        if (!more) {
            paused_ = true;
            read_size_ = read_bytes_min;
        }
        if (closed_) return;
    }
    connection_.consume(event.stream, event.data.size(), clock_.now());
}

void LinkSession::send(Channel channel, const SharedBytes& message) {
    if (closed_ || !established_) return;
    Outgoing& out = out_[static_cast<std::size_t>(channel)];
    out.waiting.push_back(message);
    out.bytes += message->size();
    if (waiting_bytes() > waiting_bytes_max) close(too_slow);
}

std::size_t LinkSession::waiting_bytes() const {
    std::size_t bytes = 0;
    for (const Outgoing& out : out_)
        bytes += out.bytes;
    return bytes;
}

void LinkSession::push(Outgoing& out, Channel channel) {
    if (out.waiting.empty()) return;
    const Instant now = clock_.now();
    if (!out.stream) {
        auto opened = connection_.open(protocol_of(channel), now);
        if (!opened) return;
        out.stream = *opened;
    }
    Bytes framed;
    while (!out.waiting.empty()) {
        const SharedBytes& message = out.waiting.front();
        constexpr std::size_t length_bytes = 10;
        if (connection_.send_room(*out.stream) < framed.size() + message->size() + length_bytes)
            break;
        p2p::append_frame(framed, *message);
        out.bytes -= message->size();
        out.waiting.pop_front();
    }
    if (!framed.empty() && connection_.send(*out.stream, framed, now)) return;
    // No room even for one message: a refused send makes the connection say when there is.
    if (framed.empty()) {
        p2p::append_frame(framed, *out.waiting.front());
        if (connection_.send(*out.stream, framed, now)) {
            out.bytes -= out.waiting.front()->size();
            out.waiting.pop_front();
        }
    }
}

void LinkSession::flush() {
    if (closed_) return;
    if (established_) {
        for (std::size_t i = 0; i < channel_count; ++i)
            push(out_[i], static_cast<Channel>(i));
    }
    write();
}

void LinkSession::write() {
    if (writing_ || closed_ || !connection_.has_output()) return;
    write_buffer_.clear();
    connection_.take_output(write_buffer_);
    if (write_buffer_.empty()) return;
    writing_ = true;
    asio::async_write(
        socket_,
        asio::buffer(write_buffer_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
            self->writing_ = false;
            self->bytes_out_ += size;
            if (error) {
                self->close(error.message());
                return;
            }
            self->act();
        }
    );
}

void LinkSession::arm() {
    const Instant deadline = connection_.next_deadline();
    if (closed_ || deadline == armed_) return;
    armed_ = deadline;
    timer_.expires_at(clock_.at(deadline));
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (!self || error || self->closed_) return;
        self->armed_ = Instant::max();
        self->connection_.on_time(self->clock_.now());
        self->act();
    });
}

void LinkSession::close(const std::string& why) {
    if (closed_) return;
    closed_ = true;
    boost::system::error_code ignored;
    timer_.cancel();
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    callbacks_.on_closed(*this, why);
}

}  // namespace creto
