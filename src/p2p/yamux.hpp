// Yamux: many streams over one connection, each with its own flow control.
//
// Why      A slow reader of one stream must not hold up the others, nor make us keep its bytes.
// Source   libp2p specs, yamux; what other implementations do where the text is silent.
// Holds    [P2P-WINDOW.1] per stream, what was received and not consumed never exceeds the window
//          we granted; one byte more ends the connection.
//          [P2P-WINDOW.2] we never send beyond the peer's window.
//          Windows grow beyond 256 KiB only while a stream is drained faster than its window turns
//          over, and only within one budget for the connection. Output is bounded: data waits in
//          the streams' backlogs until it is taken, replies to pings and refusals are counted.
//          A stream closes by an empty WINDOW_UPDATE|FIN: some peers lose data that comes with FIN.
// Errors   What the peer does wrong ends the connection: an event `failed`, and error() says why.
// Units    Window and backlog in bytes of payload.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "base/token_bucket.hpp"
#include "p2p/byte_queue.hpp"
#include "p2p/role.hpp"
#include "p2p/yamux_frame.hpp"

namespace creto::p2p {

/// Names a stream within its connection: odd when the initiator opened it.
using StreamId = Strong<struct StreamIdTag, std::uint32_t>;

struct YamuxOptions {
    std::uint32_t inbound_streams_max = 512;
    std::uint32_t outbound_streams_max = 512;
    /// Streams that we opened and the peer did not acknowledge yet.
    std::uint32_t unacknowledged_max = 256;
    std::uint32_t window_bytes_max = 16U << 20U;
    /// All windows together, beyond the 256 KiB that each stream has.
    std::uint64_t window_growth_bytes_max = 32U << 20U;
    std::size_t stream_backlog_bytes_max = 4U << 20U;
    std::size_t total_backlog_bytes_max = 16U << 20U;
    /// Data moves from the backlogs to the output up to here.
    std::size_t output_bytes_max = 256U << 10U;
    std::uint32_t pongs_max = 32;
    /// Inbound streams that the peer resets, or that we refuse: for each, we worked for nothing.
    TokenBucket::Options resets{.rate_per_s = 100, .burst = 1'000};
    Duration ping_interval = Duration::from_s(30);
    Duration ping_timeout = Duration::from_s(10);
    /// A stream whose backlog does not move for this long is reset.
    Duration stall_timeout = Duration::from_s(60);
};

struct YamuxEvent {
    enum class Kind : std::uint8_t {
        opened,      ///< By the peer.
        data,        ///< `data` is in the input that was handed in; consume() it some time.
        finished,    ///< The peer will send no more on this stream.
        reset,       ///< By the peer: the stream is gone. `code` is its reason.
        stalled,     ///< The peer did not read for too long; we reset the stream.
        going_away,  ///< The peer takes no new streams.
        failed,      ///< The connection is over: see error().
    };
    Kind kind = Kind::failed;
    StreamId stream;
    ByteView data;
    std::uint32_t code = 0;
};

class Yamux {
public:
    Yamux(Role role, YamuxOptions options, Instant now);

    /// The next thing that the bytes at the front of `input` say. None: all of it was read.
    [[nodiscard]] std::optional<YamuxEvent> next(ByteView& input, Instant now);

    /// conflict: ended; unavailable: the peer is going away; limit: too many streams.
    [[nodiscard]] Result<StreamId> open(Instant now);
    /// All or nothing. not_found: no such stream; conflict: it was finished; limit: room() is too
    /// small now, and take_writable() will name the stream.
    [[nodiscard]] Result<void> send(StreamId id, ByteView bytes, Instant now);
    /// Bytes that send() takes now.
    [[nodiscard]] std::size_t room(StreamId id) const;
    /// Bytes that wait for the peer's window or for the output.
    [[nodiscard]] std::size_t backlog(StreamId id) const;
    /// The application is done with `count` received bytes: the peer may send as many again.
    void consume(StreamId id, std::size_t count, Instant now);
    /// No more will be sent; what was sent still arrives. The peer may go on sending.
    void finish(StreamId id);
    /// Ends the stream both ways and forgets it.
    void reset(StreamId id);
    /// The same for a stream of the peer that came to nothing by its own doing: it counts against
    /// what the peer may waste, and too much of it ends the connection.
    void refuse(StreamId id, Instant now);
    /// Tells the peer and ends; open streams are forgotten.
    void go_away(std::uint32_t code);

    void on_time(Instant now);
    [[nodiscard]] Instant next_deadline() const;

    /// What is to be sent now. clear_output() when it was taken.
    [[nodiscard]] ByteView output();
    void clear_output();
    [[nodiscard]] bool has_output() const { return !output_.empty() || !ready_.empty(); }
    [[nodiscard]] std::size_t output_bytes() const { return output_.size(); }
    /// Streams that refused a send() and have room again.
    [[nodiscard]] std::vector<StreamId> take_writable();

    [[nodiscard]] bool ended() const { return error_.has_value(); }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    [[nodiscard]] std::size_t stream_count() const { return streams_.size(); }
    /// Of the last answered ping.
    [[nodiscard]] std::optional<Duration> round_trip() const { return round_trip_; }

private:
    struct Stream {
        std::uint32_t send_window = yamux::initial_window;
        std::uint32_t receive_window = yamux::initial_window;  ///< What we mean to grant in all.
        std::uint32_t receive_credit = yamux::initial_window;  ///< What the peer may still send.
        std::uint32_t unconsumed = 0;                          ///< Received, not consumed.
        Instant granted_at;
        ByteQueue backlog;
        std::optional<Instant> stall_at;  ///< When the backlog is looked at next.
        bool moved = false;               ///< It shrank since it was last looked at.
        bool acknowledged = false;        ///< Inbound: by us. Outbound: by the peer.
        bool ready = false;               ///< It is in ready_.
        bool finishing = false;
        bool fin_sent = false;
        bool fin_received = false;
    };
    using Streams = std::map<StreamId, Stream>;

    [[nodiscard]] bool is_ours(StreamId id) const;
    [[nodiscard]] Stream* find(StreamId id);

    // Input, in yamux_input.cpp.
    [[nodiscard]] bool read_header(ByteView& input, Instant now);
    [[nodiscard]] std::optional<YamuxEvent> read_body(ByteView& input);
    void on_header(const yamux::Header& header, Instant now);
    void on_ping(const yamux::Header& header, Instant now);
    void on_go_away(const yamux::Header& header);
    void on_stream_frame(const yamux::Header& header, Instant now);
    [[nodiscard]] bool accept(StreamId id, Instant now);
    void on_data(StreamId id, Stream& stream, const yamux::Header& header);
    void on_window(StreamId id, Stream& stream, const yamux::Header& header);
    void on_fin(StreamId id);
    void on_rst(StreamId id, const yamux::Header& header, Instant now);
    void count_reset(Instant now);
    void violation(const char* what);
    void end(Error error);
    void push_event(YamuxEvent::Kind kind, StreamId id = StreamId{}, std::uint32_t code = 0);

    // Output and time.
    void write(const yamux::Header& header);
    [[nodiscard]] std::uint16_t ack_flag(StreamId id, Stream& stream) const;
    [[nodiscard]] bool can_write_through(const Stream& stream, std::size_t count) const;
    void write_data_frame(StreamId id, Stream& stream, ByteView bytes);
    void write_data(StreamId id, Stream& stream, ByteView bytes);
    void write_fin(StreamId id, Stream& stream);
    void grow_window(Stream& stream, Instant now);
    void make_ready(StreamId id, Stream& stream);
    void watch_stall(StreamId id, Stream& stream, Instant now);
    void pump();
    void send_ping(Instant now);
    void erase(Streams::iterator it);
    void erase_if_done(StreamId id);
    [[nodiscard]] std::size_t room_of(const Stream& stream) const;

    YamuxOptions options_;
    Role role_;
    bool peer_going_away_ = false;
    bool ping_open_ = false;
    bool body_fin_ = false;  ///< The stream finishes behind the body that is being read.
    Streams streams_;
    std::uint32_t next_id_;
    std::uint32_t inbound_ = 0;
    std::uint32_t outbound_ = 0;
    std::uint32_t unacknowledged_ = 0;
    std::uint64_t growth_left_;
    std::size_t backlog_total_ = 0;
    std::optional<Error> error_;

    std::array<std::uint8_t, yamux::header_bytes> header_{};  ///< A header that is not whole.
    std::size_t header_held_ = 0;
    StreamId body_stream_;
    std::uint32_t body_left_ = 0;
    std::deque<YamuxEvent> events_;
    TokenBucket resets_;

    /// A data frame at the end of the output that may still grow.
    struct OpenFrame {
        StreamId stream;
        std::size_t at = 0;
        std::uint32_t length = 0;
    };
    Bytes output_;
    std::optional<OpenFrame> open_frame_;
    std::deque<StreamId> ready_;  ///< Streams with a backlog and a window, in turn.
    std::set<StreamId> waiting_;  ///< Streams that refused a send().
    std::set<std::pair<Instant, StreamId>> stalls_;
    std::uint32_t pongs_ = 0;

    std::uint32_t ping_value_ = 0;
    Instant ping_at_;  ///< When the last ping was sent.
    std::optional<Duration> round_trip_;
};

}  // namespace creto::p2p
