#include "p2p/connection.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace creto::p2p {

namespace {

constexpr std::string_view noise_protocol = "/noise";
constexpr std::string_view yamux_protocol = "/yamux/1.0.0";

/// Data of one stream that follows its own data joins it up to here: fewer events for small
/// frames, no second copy for large ones.
constexpr std::size_t joined_bytes_max = 16'384;

Error negotiation_error(Negotiation state) {
    return state == Negotiation::refused
               ? Error{ErrorCode::not_found, "p2p: the peer does not serve the protocol"}
               : Error{ErrorCode::invalid, "p2p: what came is not multistream"};
}

}  // namespace

Connection::Connection(Options options, Instant now)
    : options_{std::move(options)},
      handshake_deadline_{now + options_.handshake_timeout},
      last_activity_{now} {
    CRETO_ASSERT(std::all_of(options_.protocols.begin(), options_.protocols.end(), is_protocol_name)
    );
    begin_negotiation(noise_protocol, output_);
    // The dialer does not wait for the answer: there is nothing else that we could speak.
    if (options_.role == Role::initiator) begin_handshake();
}

void Connection::on_bytes(ByteView input, Instant now) {
    while (!input.empty() && !closed()) {
        switch (phase_) {
            case Phase::select_security:
                select_security(input);
                break;
            case Phase::handshake:
                handshake(input, now);
                break;
            default:
                open_sealed(input, now);
        }
    }
}

void Connection::on_end() {
    end(Error{ErrorCode::unavailable, "p2p: the connection broke"});
}

void Connection::close() {
    if (mux_) mux_->go_away(yamux::go_away::normal);
    end(Error{ErrorCode::cancelled, "p2p: we closed the connection"});
}

void Connection::end(Error reason) {
    if (closed()) return;
    phase_ = Phase::closed;
    pending_.clear();
    deadlines_.clear();
    events_.emplace_back(Closed{std::move(reason)});
}

void Connection::begin_negotiation(std::string_view protocol, Bytes& out) {
    if (options_.role == Role::initiator) {
        dialer_.emplace(std::vector{std::string{protocol}});
        dialer_->start(out);
    } else {
        listener_.emplace();
    }
}

Negotiation Connection::negotiate(ByteView& input, std::string_view protocol, Bytes& out) {
    const std::string only{protocol};
    const Negotiation state =
        dialer_ ? dialer_->on_bytes(input, out) : listener_->on_bytes(input, {&only, 1}, out);
    if (state == Negotiation::agreed) {
        dialer_.reset();
        listener_.reset();
    } else if (state != Negotiation::running) {
        end(negotiation_error(state));
    }
    return state;
}

void Connection::select_security(ByteView& input) {
    if (negotiate(input, noise_protocol, output_) != Negotiation::agreed) return;
    if (!noise_) begin_handshake();
    phase_ = Phase::handshake;
}

void Connection::begin_handshake() {
    std::vector<std::string> muxers;
    if (options_.early_muxer) muxers.emplace_back(yamux_protocol);
    noise_ = std::make_unique<NoiseHandshake>(NoiseHandshake::Options{
        .role = options_.role,
        .self = options_.self,
        .sign = options_.sign,
        .verify = options_.verify,
        .static_secret = options_.noise_static_seed,
        .ephemeral_secret = options_.noise_ephemeral_seed,
        .expected_peer = options_.expected_peer,
        .muxers = std::move(muxers)});
    wipe(options_.noise_static_seed);
    wipe(options_.noise_ephemeral_seed);
    noise_->start(output_);
}

void Connection::handshake(ByteView& input, Instant now) {
    auto progress = noise_->on_bytes(input, output_);
    if (!progress) return end(std::move(progress.error()));
    if (*progress == NoiseHandshake::Progress::done) on_handshake_done(now);
}

void Connection::on_handshake_done(Instant now) {
    const std::vector<std::string> muxers = noise_->peer().muxers;
    peer_ = noise_->peer().identity;
    session_ = noise_->session();
    noise_.reset();
    if (!options_.early_muxer || muxers.empty()) {
        phase_ = Phase::select_muxer;
        Bytes lines;
        begin_negotiation(yamux_protocol, lines);
        session_->seal(lines, output_);
    } else if (std::find(muxers.begin(), muxers.end(), yamux_protocol) != muxers.end()) {
        start_mux(now);
    } else {
        end(Error{ErrorCode::invalid, "p2p: the peer has none of our muxers"});
    }
}

void Connection::open_sealed(ByteView& input, Instant now) {
    NoiseScratch scratch;  // not initialised: every byte that is read was written before
    while (!closed()) {
        const auto frame = session_->next(input, scratch);
        if (!frame) return end(frame.error());
        if (!*frame) return;
        ByteView plain = **frame;
        if (phase_ == Phase::select_muxer) select_muxer(plain, now);
        if (phase_ != Phase::open) continue;
        while (const auto event = mux_->next(plain, now))
            handle(*event, now);
    }
}

void Connection::select_muxer(ByteView& plain, Instant now) {
    Bytes lines;
    const Negotiation state = negotiate(plain, yamux_protocol, lines);
    session_->seal(lines, output_);
    if (state == Negotiation::agreed) start_mux(now);
}

void Connection::start_mux(Instant now) {
    mux_.emplace(options_.role, options_.yamux, now);
    phase_ = Phase::open;
    last_activity_ = now;
    events_.emplace_back(Established{*peer_});
}

void Connection::handle(const YamuxEvent& event, Instant now) {
    if (closed()) return;
    switch (event.kind) {
        case YamuxEvent::Kind::opened:
            return on_stream_opened(event.stream, now);
        case YamuxEvent::Kind::data:
            return on_stream_data(event.stream, event.data, now);
        case YamuxEvent::Kind::finished:
            return on_stream_finished(event.stream, now);
        case YamuxEvent::Kind::reset:
            return on_stream_reset(
                event.stream,
                Error{
                    ErrorCode::unavailable,
                    "p2p: the peer reset the stream with code " + std::to_string(event.code)},
                now
            );
        case YamuxEvent::Kind::stalled:
            return on_stream_reset(
                event.stream,
                Error{ErrorCode::timeout, "p2p: the peer did not read the stream"},
                now
            );
        case YamuxEvent::Kind::going_away:
            events_.emplace_back(GoingAway{});
            return;
        case YamuxEvent::Kind::failed:
            return end(*mux_->error());
    }
}

void Connection::on_stream_opened(StreamId id, Instant now) {
    last_activity_ = now;
    const Instant deadline = now + options_.negotiation_timeout;
    pending_[id].deadline = deadline;
    deadlines_.emplace(deadline, id);
}

void Connection::on_stream_data(StreamId id, ByteView data, Instant now) {
    last_activity_ = now;
    const auto it = pending_.find(id);
    if (it != pending_.end()) {
        on_pending_data(it, data, now);
    } else {
        push_data(id, data);
    }
}

void Connection::on_pending_data(PendingStreams::iterator it, ByteView data, Instant now) {
    const StreamId id = it->first;
    Pending& pending = it->second;
    ByteView rest = data;
    Bytes lines;
    const Negotiation state = pending.dialer
                                  ? pending.dialer->on_bytes(rest, lines)
                                  : pending.listener.on_bytes(rest, options_.protocols, lines);
    // The lines were ours; what the application gets it pays back itself.
    mux_->consume(id, data.size() - rest.size(), now);
    if (!lines.empty() && !mux_->send(id, lines, now)) {
        return drop_pending(it, Error{ErrorCode::limit, "p2p: too much waits to be sent"}, now);
    }
    if (state == Negotiation::running) return;
    if (state != Negotiation::agreed) return drop_pending(it, negotiation_error(state), now);
    events_.emplace_back(StreamOpened{
        .stream = id,
        .protocol = pending.dialer ? pending.dialer->protocol() : pending.listener.protocol(),
        .inbound = !pending.dialer});
    if (pending.finish_once_agreed) mux_->finish(id);
    erase_pending(it);
    if (!rest.empty()) push_data(id, rest);
}

void Connection::on_stream_finished(StreamId id, Instant now) {
    const auto it = pending_.find(id);
    if (it == pending_.end()) {
        events_.emplace_back(StreamFinished{id});
    } else {
        drop_pending(
            it, Error{ErrorCode::unavailable, "p2p: the peer closed without an answer"}, now
        );
    }
}

void Connection::on_stream_reset(StreamId id, Error reason, Instant now) {
    const auto it = pending_.find(id);
    if (it == pending_.end()) {
        events_.emplace_back(StreamReset{id, std::move(reason)});
    } else {
        drop_pending(it, std::move(reason), now);
    }
}

/// Gives up a stream that agreed on nothing. Nobody has heard of it unless we opened it.
void Connection::drop_pending(PendingStreams::iterator it, Error reason, Instant now) {
    const StreamId id = it->first;
    const bool inbound = !it->second.dialer;
    erase_pending(it);
    if (inbound) return mux_->refuse(id, now);
    mux_->reset(id);
    events_.emplace_back(StreamReset{id, std::move(reason)});
}

void Connection::erase_pending(PendingStreams::iterator it) {
    deadlines_.erase({it->second.deadline, it->first});
    pending_.erase(it);
}

void Connection::push_data(StreamId id, ByteView data) {
    if (!events_.empty()) {
        auto* last = std::get_if<StreamData>(&events_.back());
        if (last != nullptr && last->stream == id &&
            last->data.size() + data.size() <= joined_bytes_max) {
            last->data.insert(last->data.end(), data.begin(), data.end());
            return;
        }
    }
    events_.emplace_back(StreamData{id, Bytes(data.begin(), data.end())});
}

void Connection::on_time(Instant now) {
    if (closed()) return;
    if (phase_ != Phase::open) {
        if (now >= handshake_deadline_) {
            end(Error{ErrorCode::timeout, "p2p: the handshake took too long"});
        }
        return;
    }
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto it = pending_.find(deadlines_.begin()->second);
        CRETO_ASSERT(it != pending_.end());
        drop_pending(
            it, Error{ErrorCode::timeout, "p2p: the stream's protocol was not agreed on"}, now
        );
    }
    mux_->on_time(now);
    ByteView nothing;
    while (const auto event = mux_->next(nothing, now))
        handle(*event, now);
}

Instant Connection::next_deadline() const {
    if (closed()) return Instant::max();
    if (phase_ != Phase::open) return handshake_deadline_;
    const Instant mux = mux_->next_deadline();
    return deadlines_.empty() ? mux : std::min(mux, deadlines_.begin()->first);
}

void Connection::take_output(Bytes& out) {
    out.insert(out.end(), output_.begin(), output_.end());
    Bytes{}.swap(output_);
    if (!mux_) return;
    session_->seal(mux_->output(), out);
    mux_->clear_output();
    if (closed()) return;
    for (const StreamId id : mux_->take_writable())
        events_.emplace_back(StreamWritable{id});
}

Bytes Connection::take_output() {
    Bytes out;
    take_output(out);
    return out;
}

bool Connection::has_output() const {
    return !output_.empty() || (mux_ && mux_->has_output());
}

std::size_t Connection::output_bytes() const {
    return output_.size() + (mux_ ? mux_->output_bytes() : 0);
}

std::vector<ConnectionEvent> Connection::take_events() {
    return std::exchange(events_, {});
}

Result<StreamId> Connection::open(std::string_view protocol, Instant now) {
    if (!established()) return fail(ErrorCode::unavailable, "p2p: the connection is not open");
    if (!is_protocol_name(protocol)) return fail(ErrorCode::invalid, "p2p: not a protocol name");
    auto id = mux_->open(now);
    if (!id) return id;
    last_activity_ = now;
    const Instant deadline = now + options_.negotiation_timeout;
    Pending& pending = pending_[*id];
    pending.deadline = deadline;
    pending.dialer.emplace(std::vector{std::string{protocol}});
    deadlines_.emplace(deadline, *id);
    Bytes lines;
    pending.dialer->start(lines);
    if (auto sent = mux_->send(*id, lines, now); !sent) {
        erase_pending(pending_.find(*id));
        mux_->reset(*id);
        return tl::unexpected<Error>(std::move(sent.error()));
    }
    return id;
}

Result<void> Connection::send(StreamId stream, ByteView bytes, Instant now) {
    if (!established()) return fail(ErrorCode::not_found, "p2p: the connection is not open");
    last_activity_ = now;
    const auto it = pending_.find(stream);
    if (it != pending_.end() && it->second.finish_once_agreed) {
        return fail(ErrorCode::conflict, "p2p: the stream was finished");
    }
    return mux_->send(stream, bytes, now);
}

std::size_t Connection::send_room(StreamId stream) const {
    return established() ? mux_->room(stream) : 0;
}

std::size_t Connection::send_backlog(StreamId stream) const {
    return established() ? mux_->backlog(stream) : 0;
}

void Connection::consume(StreamId stream, std::size_t count, Instant now) {
    if (established()) mux_->consume(stream, count, now);
}

void Connection::finish(StreamId stream, Finish when) {
    if (!established()) return;
    const auto it = pending_.find(stream);
    if (when == Finish::once_agreed && it != pending_.end()) {
        it->second.finish_once_agreed = true;
    } else {
        mux_->finish(stream);
    }
}

void Connection::reset(StreamId stream) {
    if (!established()) return;
    const auto it = pending_.find(stream);
    if (it != pending_.end()) erase_pending(it);
    mux_->reset(stream);
}

std::optional<Duration> Connection::round_trip() const {
    return mux_ ? mux_->round_trip() : std::nullopt;
}

}  // namespace creto::p2p
