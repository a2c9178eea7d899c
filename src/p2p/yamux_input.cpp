// What a Yamux connection makes of the peer's frames.
#include <algorithm>
#include <limits>

#include "p2p/yamux.hpp"

namespace creto::p2p {

using yamux::Header;
using yamux::Type;
namespace flag = yamux::flag;

std::optional<YamuxEvent> Yamux::next(ByteView& input, Instant now) {
    while (true) {
        if (!events_.empty()) {
            const YamuxEvent event = events_.front();
            events_.pop_front();
            return event;
        }
        if (ended()) input = {};
        if (input.empty()) return std::nullopt;
        if (body_left_ > 0) {
            if (auto event = read_body(input)) return event;
        } else if (!read_header(input, now)) {
            return std::nullopt;
        }
    }
}

bool Yamux::read_header(ByteView& input, Instant now) {
    const ByteView part = input.first(std::min(yamux::header_bytes - header_held_, input.size()));
    std::copy(part.begin(), part.end(), header_.begin() + header_held_);
    header_held_ += part.size();
    input = input.subspan(part.size());
    if (header_held_ < yamux::header_bytes) return false;
    header_held_ = 0;
    if (const auto header = yamux::decode(header_)) {
        on_header(*header, now);
    } else {
        violation("a frame of unknown version or type");
    }
    return true;
}

std::optional<YamuxEvent> Yamux::read_body(ByteView& input) {
    const ByteView part = input.first(std::min<std::size_t>(body_left_, input.size()));
    input = input.subspan(part.size());
    body_left_ -= static_cast<std::uint32_t>(part.size());
    if (!streams_.contains(body_stream_)) return std::nullopt;  // to a stream that is no more
    if (body_left_ == 0 && body_fin_) on_fin(body_stream_);
    return YamuxEvent{.kind = YamuxEvent::Kind::data, .stream = body_stream_, .data = part};
}

void Yamux::on_header(const Header& header, Instant now) {
    switch (header.type) {
        case Type::data:
        case Type::window_update:
            return on_stream_frame(header, now);
        case Type::ping:
            return on_ping(header, now);
        case Type::go_away:
            return on_go_away(header);
    }
}

void Yamux::on_ping(const Header& header, Instant now) {
    if (header.stream != 0) return violation("a ping on a stream");
    if (header.has(flag::syn)) {
        if (pongs_ == options_.pongs_max) return;  // a flood is answered in part
        ++pongs_;
        return write({.type = Type::ping, .flags = flag::ack, .length = header.length});
    }
    if (!header.has(flag::ack)) return violation("a ping that neither asks nor answers");
    if (!ping_open_ || header.length != ping_value_) return;  // nobody asked
    ping_open_ = false;
    round_trip_ = now - ping_at_;
}

void Yamux::on_go_away(const Header& header) {
    if (header.stream != 0) return violation("a go-away on a stream");
    if (header.length != yamux::go_away::normal) {
        return end(Error{
            ErrorCode::unavailable,
            "yamux: the peer ended the connection with code " + std::to_string(header.length)});
    }
    if (peer_going_away_) return;
    peer_going_away_ = true;
    push_event(YamuxEvent::Kind::going_away);
}

void Yamux::on_stream_frame(const Header& header, Instant now) {
    const StreamId id{header.stream};
    if (header.stream == 0) return violation("stream data without a stream");
    if (header.type == Type::data && header.length > options_.window_bytes_max) {
        return violation("more data in a frame than any window allows");
    }
    if (header.has(flag::syn) && !accept(id, now) && ended()) return;
    if (is_ours(id) && id.value() >= next_id_) return violation("a stream that nobody opened");
    if (header.type == Type::data) {
        body_stream_ = id;
        body_left_ = header.length;
        body_fin_ = false;
    }
    // Frames to streams that are no more are usual: the peer had not heard yet.
    Stream* stream = find(id);
    if (stream == nullptr) return;
    if (header.has(flag::ack) && is_ours(id) && !stream->acknowledged) {
        stream->acknowledged = true;
        --unacknowledged_;
    }
    if (header.has(flag::rst)) return on_rst(id, header, now);
    if (header.type == Type::data) {
        on_data(id, *stream, header);
    } else {
        on_window(id, *stream, header);
    }
}

bool Yamux::accept(StreamId id, Instant now) {
    if (is_ours(id)) {
        violation("a stream opened with a number of ours");
        return false;
    }
    if (streams_.contains(id)) {
        violation("a stream opened twice");
        return false;
    }
    if (inbound_ == options_.inbound_streams_max) {
        write({.type = Type::window_update, .flags = flag::rst, .stream = id.value()});
        count_reset(now);
        return false;
    }
    streams_[id].granted_at = now;
    ++inbound_;
    push_event(YamuxEvent::Kind::opened, id);
    return true;
}

void Yamux::on_data(StreamId id, Stream& stream, const Header& header) {
    if (stream.fin_received && header.length > 0) return violation("data behind the end");
    if (header.length > stream.receive_credit) return violation("data beyond the window");
    stream.receive_credit -= header.length;
    stream.unconsumed += header.length;
    body_fin_ = header.has(flag::fin);
    if (header.length == 0 && body_fin_) on_fin(id);
}

void Yamux::on_window(StreamId id, Stream& stream, const Header& header) {
    if (header.length > std::numeric_limits<std::uint32_t>::max() - stream.send_window) {
        return violation("a window beyond 32 bits");
    }
    stream.send_window += header.length;
    make_ready(id, stream);
    if (header.has(flag::fin)) on_fin(id);
}

void Yamux::on_fin(StreamId id) {
    Stream* stream = find(id);
    if (stream == nullptr || stream->fin_received) return;
    stream->fin_received = true;
    push_event(YamuxEvent::Kind::finished, id);
    erase_if_done(id);
}

void Yamux::on_rst(StreamId id, const Header& header, Instant now) {
    // The length of a reset is a reason; in a data frame it is a length.
    const std::uint32_t code = header.type == Type::window_update ? header.length : 0;
    erase(streams_.find(id));
    push_event(YamuxEvent::Kind::reset, id, code);
    if (!is_ours(id)) count_reset(now);
}

void Yamux::count_reset(Instant now) {
    if (resets_.take(1, now)) violation("too many streams reset or refused");
}

void Yamux::violation(const char* what) {
    write({.type = Type::go_away, .length = yamux::go_away::protocol_error});
    end(Error{ErrorCode::invalid, std::string{"yamux: "} + what});
}

void Yamux::end(Error error) {
    if (ended()) return;
    error_ = std::move(error);
    streams_.clear();
    ready_.clear();
    waiting_.clear();
    stalls_.clear();
    backlog_total_ = 0;
    push_event(YamuxEvent::Kind::failed);
}

void Yamux::push_event(YamuxEvent::Kind kind, StreamId id, std::uint32_t code) {
    events_.push_back({.kind = kind, .stream = id, .data = {}, .code = code});
}

}  // namespace creto::p2p
