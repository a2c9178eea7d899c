#include "p2p/yamux.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.hpp"

namespace creto::p2p {

using yamux::Header;
using yamux::Type;
namespace flag = yamux::flag;

namespace {
/// One stream's turn, chosen so that a full frame with its header fills one Noise frame.
constexpr std::size_t data_frame_bytes_max = 65'507;
/// A window that turns over within this many round trips limits the stream: it grows.
constexpr std::int64_t growth_round_trips = 4;
}  // namespace

Yamux::Yamux(Role role, YamuxOptions options, Instant now)
    : options_{options},
      role_{role},
      next_id_{role == Role::initiator ? 1U : 2U},
      growth_left_{options.window_growth_bytes_max},
      resets_{options.resets} {
    CRETO_ASSERT(options_.window_bytes_max >= yamux::initial_window);
    CRETO_ASSERT(options_.total_backlog_bytes_max >= options_.stream_backlog_bytes_max);
    // The first ping measures the round trip, from which windows learn how far to grow.
    if (options_.ping_interval != Duration::max()) send_ping(now);
}

bool Yamux::is_ours(StreamId id) const {
    return (id.value() % 2 == 1) == (role_ == Role::initiator);
}

Yamux::Stream* Yamux::find(StreamId id) {
    const auto it = streams_.find(id);
    return it == streams_.end() ? nullptr : &it->second;
}

Result<StreamId> Yamux::open(Instant now) {
    if (ended()) return fail(ErrorCode::conflict, "yamux: the connection is over");
    if (peer_going_away_) return fail(ErrorCode::unavailable, "yamux: the peer is going away");
    const bool numbers_left = next_id_ <= std::numeric_limits<std::uint32_t>::max() - 2;
    if (outbound_ == options_.outbound_streams_max || !numbers_left) {
        return fail(ErrorCode::limit, "yamux: too many open streams");
    }
    if (unacknowledged_ == options_.unacknowledged_max) {
        return fail(ErrorCode::limit, "yamux: too many streams that the peer did not answer yet");
    }
    const StreamId id{std::exchange(next_id_, next_id_ + 2)};
    streams_[id].granted_at = now;
    ++outbound_;
    ++unacknowledged_;
    write({.type = Type::window_update, .flags = flag::syn, .stream = id.value()});
    return id;
}

Result<void> Yamux::send(StreamId id, ByteView bytes, Instant now) {
    Stream* stream = find(id);
    if (stream == nullptr) return fail(ErrorCode::not_found, "yamux: the stream is closed");
    if (stream->finishing) return fail(ErrorCode::conflict, "yamux: the stream was finished");
    if (can_write_through(*stream, bytes.size())) {
        write_data(id, *stream, bytes);
        return {};
    }
    if (bytes.size() > room_of(*stream)) {
        waiting_.insert(id);
        return fail(ErrorCode::limit, "yamux: too much waits to be sent");
    }
    stream->backlog.push(bytes);
    backlog_total_ += bytes.size();
    make_ready(id, *stream);
    watch_stall(id, *stream, now);
    return {};
}

/// Nobody waits before these bytes: they need not wait either, nor be copied twice.
bool Yamux::can_write_through(const Stream& stream, std::size_t count) const {
    return stream.backlog.empty() && ready_.empty() && count <= stream.send_window &&
           output_.size() + count <= options_.output_bytes_max;
}

std::size_t Yamux::room_of(const Stream& stream) const {
    return std::min(
        options_.stream_backlog_bytes_max - stream.backlog.size(),
        options_.total_backlog_bytes_max - backlog_total_
    );
}

std::size_t Yamux::room(StreamId id) const {
    const auto it = streams_.find(id);
    return it == streams_.end() || it->second.finishing ? 0 : room_of(it->second);
}

std::size_t Yamux::backlog(StreamId id) const {
    const auto it = streams_.find(id);
    return it == streams_.end() ? 0 : it->second.backlog.size();
}

void Yamux::consume(StreamId id, std::size_t count, Instant now) {
    Stream* stream = find(id);
    if (stream == nullptr) return;
    stream->unconsumed -=
        static_cast<std::uint32_t>(std::min<std::size_t>(count, stream->unconsumed));
    if (stream->fin_received) return;
    const auto grantable = [&] {
        return stream->receive_window - stream->receive_credit - stream->unconsumed;
    };
    // Half a window at a time: one update for many reads, and the peer never runs dry meanwhile.
    if (grantable() < stream->receive_window / 2) return;
    grow_window(*stream, now);
    const std::uint32_t delta = grantable();
    stream->receive_credit += delta;
    stream->granted_at = now;
    write(
        {.type = Type::window_update,
         .flags = ack_flag(id, *stream),
         .stream = id.value(),
         .length = delta}
    );
}

void Yamux::grow_window(Stream& stream, Instant now) {
    const bool limits_the_stream =
        round_trip_ && now - stream.granted_at < *round_trip_ * growth_round_trips;
    if (!limits_the_stream) return;
    const std::uint64_t growth = std::min<std::uint64_t>(
        {stream.receive_window, options_.window_bytes_max - stream.receive_window, growth_left_}
    );
    stream.receive_window += static_cast<std::uint32_t>(growth);
    growth_left_ -= growth;
}

void Yamux::finish(StreamId id) {
    Stream* stream = find(id);
    if (stream == nullptr || stream->finishing) return;
    stream->finishing = true;
    if (stream->backlog.empty()) write_fin(id, *stream);
}

void Yamux::reset(StreamId id) {
    const auto it = streams_.find(id);
    if (it == streams_.end()) return;
    erase(it);
    write({.type = Type::window_update, .flags = flag::rst, .stream = id.value()});
}

void Yamux::refuse(StreamId id, Instant now) {
    if (!streams_.contains(id)) return;
    reset(id);
    count_reset(now);
}

void Yamux::go_away(std::uint32_t code) {
    if (ended()) return;
    write({.type = Type::go_away, .length = code});
    end(Error{ErrorCode::cancelled, "yamux: we ended the connection"});
}

void Yamux::on_time(Instant now) {
    if (ended()) return;
    if (ping_open_ && now >= ping_at_ + options_.ping_timeout) {
        return end(Error{ErrorCode::timeout, "yamux: the peer did not answer a ping"});
    }
    if (!ping_open_ && now >= ping_at_ + options_.ping_interval) send_ping(now);
    while (!stalls_.empty() && stalls_.begin()->first <= now) {
        const StreamId id = stalls_.begin()->second;
        stalls_.erase(stalls_.begin());
        Stream* stream = find(id);
        CRETO_ASSERT(stream != nullptr);
        stream->stall_at.reset();
        if (stream->backlog.empty()) continue;
        if (stream->moved) {
            watch_stall(id, *stream, now);
        } else {
            reset(id);
            push_event(YamuxEvent::Kind::stalled, id);
        }
    }
}

Instant Yamux::next_deadline() const {
    if (ended()) return Instant::max();
    const Instant ping = ping_at_ + (ping_open_ ? options_.ping_timeout : options_.ping_interval);
    return stalls_.empty() ? ping : std::min(ping, stalls_.begin()->first);
}

ByteView Yamux::output() {
    pump();
    return output_;
}

void Yamux::clear_output() {
    Bytes{}.swap(output_);  // an idle connection holds nothing
    open_frame_.reset();
    pongs_ = 0;
}

std::vector<StreamId> Yamux::take_writable() {
    std::vector<StreamId> writable;
    for (const StreamId id : waiting_) {
        if (room(id) >= options_.stream_backlog_bytes_max / 2) writable.push_back(id);
    }
    for (const StreamId id : writable)
        waiting_.erase(id);
    return writable;
}

void Yamux::write(const Header& header) {
    open_frame_.reset();
    yamux::encode(header, output_);
}

/// The acknowledgement that a stream of the peer still needs; it rides on any of our frames.
std::uint16_t Yamux::ack_flag(StreamId id, Stream& stream) const {
    const bool owed = !is_ours(id) && !std::exchange(stream.acknowledged, true);
    return owed ? flag::ack : std::uint16_t{0};
}

void Yamux::write_data(StreamId id, Stream& stream, ByteView bytes) {
    while (!bytes.empty()) {
        const ByteView part = bytes.first(std::min(bytes.size(), data_frame_bytes_max));
        bytes = bytes.subspan(part.size());
        write_data_frame(id, stream, part);
    }
}

void Yamux::write_data_frame(StreamId id, Stream& stream, ByteView bytes) {
    const auto count = static_cast<std::uint32_t>(bytes.size());
    CRETO_ASSERT(count <= stream.send_window);
    stream.send_window -= count;
    const bool grows = open_frame_ && open_frame_->stream == id &&
                       open_frame_->length + bytes.size() <= data_frame_bytes_max;
    if (grows) {
        open_frame_->length += count;
        const std::size_t length_at = open_frame_->at + yamux::header_bytes - 4;
        for (std::size_t i = 0; i < 4; ++i)
            output_[length_at + i] = static_cast<std::uint8_t>(open_frame_->length >> (24 - 8 * i));
    } else {
        const std::size_t at = output_.size();
        write(
            {.type = Type::data,
             .flags = ack_flag(id, stream),
             .stream = id.value(),
             .length = count}
        );
        open_frame_ = OpenFrame{.stream = id, .at = at, .length = count};
    }
    output_.insert(output_.end(), bytes.begin(), bytes.end());
}

/// May forget the stream.
void Yamux::write_fin(StreamId id, Stream& stream) {
    const auto flags = static_cast<std::uint16_t>(flag::fin | ack_flag(id, stream));
    write({.type = Type::window_update, .flags = flags, .stream = id.value()});
    stream.fin_sent = true;
    erase_if_done(id);
}

void Yamux::make_ready(StreamId id, Stream& stream) {
    if (stream.ready || stream.backlog.empty() || stream.send_window == 0) return;
    stream.ready = true;
    ready_.push_back(id);
}

void Yamux::watch_stall(StreamId id, Stream& stream, Instant now) {
    if (stream.stall_at || options_.stall_timeout == Duration::max()) return;
    stream.moved = false;
    stream.stall_at = now + options_.stall_timeout;
    stalls_.emplace(*stream.stall_at, id);
}

/// Moves backlogs to the output, one frame of each stream in turn.
void Yamux::pump() {
    while (!ready_.empty() && output_.size() < options_.output_bytes_max) {
        const StreamId id = ready_.front();
        ready_.pop_front();
        Stream* stream = find(id);
        if (stream == nullptr || !stream->ready) continue;  // it was reset meanwhile
        stream->ready = false;
        const std::size_t count = std::min<std::size_t>(
            {stream->backlog.size(), stream->send_window, data_frame_bytes_max}
        );
        write_data_frame(id, *stream, stream->backlog.view().first(count));
        stream->backlog.drop(count);
        stream->moved = true;
        backlog_total_ -= count;
        if (stream->backlog.empty() && stream->finishing) {
            write_fin(id, *stream);
        } else {
            make_ready(id, *stream);
        }
    }
}

void Yamux::send_ping(Instant now) {
    ping_open_ = true;
    ping_at_ = now;
    write({.type = Type::ping, .flags = flag::syn, .length = ++ping_value_});
}

void Yamux::erase(Streams::iterator it) {
    const auto& [id, stream] = *it;
    --(is_ours(id) ? outbound_ : inbound_);
    if (is_ours(id) && !stream.acknowledged) --unacknowledged_;
    growth_left_ += stream.receive_window - yamux::initial_window;
    backlog_total_ -= stream.backlog.size();
    if (stream.stall_at) stalls_.erase({*stream.stall_at, id});
    waiting_.erase(id);
    streams_.erase(it);
}

void Yamux::erase_if_done(StreamId id) {
    const auto it = streams_.find(id);
    if (it != streams_.end() && it->second.fin_sent && it->second.fin_received) erase(it);
}

}  // namespace creto::p2p
