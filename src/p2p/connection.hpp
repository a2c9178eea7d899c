// Connection: one encrypted, multiplexed libp2p connection as a state machine.
//
// Why      The code above sees streams with a protocol and a proven peer; the host below carries
//          bytes. Both real sockets and the simulator drive this same object.
// Source   libp2p specs, connections: multistream for /noise, Noise XX, the muxer agreed on inside
//          the handshake (or by multistream behind it), yamux, and multistream on every stream.
//          Dialers do not wait: proposal and data leave in one write.
// Holds    [P2P-ESTABLISHED.1] no event before Established but Closed; Closed is the last one.
//          A stream's events are StreamOpened, then data, then at most one end of each side; an
//          inbound stream that agrees on no protocol in time is never seen.
//          Every wait has a deadline; memory is bounded by the limits and the granted windows.
// Use      After each call: take_events(), act on them, then take_output() while has_output(), and
//          call on_time() at next_deadline(). Every StreamData is paid back by consume().
// Errors   In Closed and StreamReset: timeout, denied (another peer), invalid (peer's mistake),
//          unavailable (peer left), not_found (protocol refused), cancelled (we ended it).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "p2p/multistream.hpp"
#include "p2p/noise.hpp"
#include "p2p/role.hpp"
#include "p2p/yamux.hpp"

namespace creto::p2p {

/// The handshake is over and the peer has proven that it holds this key.
struct Established {
    PublicKey peer;
};
/// Inbound: the peer opened it. Outbound: the peer agreed on the protocol.
struct StreamOpened {
    StreamId stream;
    std::string protocol;
    bool inbound = false;
};
struct StreamData {
    StreamId stream;
    Bytes data;
};
/// The peer will send no more; we still may.
struct StreamFinished {
    StreamId stream;
};
/// The stream is gone both ways, for a reason that is not ours.
struct StreamReset {
    StreamId stream;
    Error reason;
};
/// A send() was refused, and has room again.
struct StreamWritable {
    StreamId stream;
};
/// The peer takes no new streams; those that are open go on.
struct GoingAway {};
/// The connection and all its streams are over. Output that is left may still be sent.
struct Closed {
    Error reason;
};
using ConnectionEvent = std::variant<
    Established,
    StreamOpened,
    StreamData,
    StreamFinished,
    StreamReset,
    StreamWritable,
    GoingAway,
    Closed>;

/// When the peer hears that we send no more on a stream that we opened.
enum class Finish : std::uint8_t {
    at_once,  ///< Behind the last data.
    /// Not before the peer agreed on the protocol: js-libp2p misses an end that comes before its
    /// handler runs. Of no use with listeners who agree only together with their first data.
    once_agreed,
};

class Connection {
public:
    struct Options {
        Role role = Role::initiator;
        PublicKey self;
        IdentitySigner sign;
        IdentityVerifier verify;
        /// 32 random bytes, fresh per process or connection. One per process lets the host sign
        /// once.
        Key32 noise_static_seed{};
        /// 32 random bytes, fresh for every connection.
        Key32 noise_ephemeral_seed{};
        std::optional<PublicKey> expected_peer;
        std::vector<std::string> protocols;  ///< What we serve on inbound streams.
        /// Agree on the muxer inside the handshake, which saves a round trip.
        bool early_muxer = true;
        /// From the first byte to Established.
        Duration handshake_timeout = Duration::from_s(10);
        /// From the opening of a stream to the agreement on its protocol.
        Duration negotiation_timeout = Duration::from_s(10);
        YamuxOptions yamux = {};
    };

    Connection(Options options, Instant now);

    /// What came from the socket.
    void on_bytes(ByteView bytes, Instant now);
    /// The socket ended or broke.
    void on_end();
    void on_time(Instant now);
    [[nodiscard]] Instant next_deadline() const;

    /// Appends what is to be written to the socket, about yamux.output_bytes_max at most.
    void take_output(Bytes& out);
    [[nodiscard]] Bytes take_output();
    [[nodiscard]] bool has_output() const;
    /// Bytes that wait for take_output(), without the streams' backlogs.
    [[nodiscard]] std::size_t output_bytes() const;
    [[nodiscard]] std::vector<ConnectionEvent> take_events();

    /// A new stream; data may be sent at once. unavailable: not established, or going away; limit:
    /// too many streams; invalid: not a protocol name.
    [[nodiscard]] Result<StreamId> open(std::string_view protocol, Instant now);
    /// All or nothing. not_found: no such stream; conflict: it was finished; limit: send_room() is
    /// too small now, and StreamWritable will follow.
    Result<void> send(StreamId stream, ByteView bytes, Instant now);
    [[nodiscard]] std::size_t send_room(StreamId stream) const;
    /// Bytes that were sent and wait for the peer's window.
    [[nodiscard]] std::size_t send_backlog(StreamId stream) const;
    /// The application is done with `count` bytes of StreamData: the peer may send as many again.
    void consume(StreamId stream, std::size_t count, Instant now);
    void finish(StreamId stream, Finish when = Finish::at_once);
    void reset(StreamId stream);
    /// Says goodbye and ends.
    void close();

    [[nodiscard]] bool established() const { return phase_ == Phase::open; }
    [[nodiscard]] bool closed() const { return phase_ == Phase::closed; }
    [[nodiscard]] const std::optional<PublicKey>& peer() const { return peer_; }
    [[nodiscard]] std::size_t stream_count() const { return mux_ ? mux_->stream_count() : 0; }
    /// When a stream last carried something; pings do not count.
    [[nodiscard]] Instant last_activity() const { return last_activity_; }
    [[nodiscard]] std::optional<Duration> round_trip() const;

private:
    enum class Phase : std::uint8_t { select_security, handshake, select_muxer, open, closed };
    /// A stream that has not agreed on its protocol.
    struct Pending {
        std::optional<MultistreamDialer> dialer;  ///< None: the peer dials.
        MultistreamListener listener;
        Instant deadline;
        bool finish_once_agreed = false;
    };
    using PendingStreams = std::map<StreamId, Pending>;

    void select_security(ByteView& input);
    void begin_handshake();
    void handshake(ByteView& input, Instant now);
    void on_handshake_done(Instant now);
    void open_sealed(ByteView& input, Instant now);
    void select_muxer(ByteView& plain, Instant now);
    void start_mux(Instant now);
    /// Multistream for the one protocol that can follow, in our role.
    void begin_negotiation(std::string_view protocol, Bytes& out);
    [[nodiscard]] Negotiation negotiate(ByteView& input, std::string_view protocol, Bytes& out);

    void handle(const YamuxEvent& event, Instant now);
    void on_stream_opened(StreamId id, Instant now);
    void on_stream_data(StreamId id, ByteView data, Instant now);
    void on_stream_finished(StreamId id, Instant now);
    void on_stream_reset(StreamId id, Error reason, Instant now);
    void on_pending_data(PendingStreams::iterator it, ByteView data, Instant now);
    void drop_pending(PendingStreams::iterator it, Error reason, Instant now);
    void erase_pending(PendingStreams::iterator it);
    void push_data(StreamId id, ByteView data);
    void end(Error reason);

    Options options_;
    Phase phase_ = Phase::select_security;
    Instant handshake_deadline_;
    Instant last_activity_;
    std::optional<PublicKey> peer_;
    std::optional<MultistreamDialer> dialer_;
    std::optional<MultistreamListener> listener_;
    std::unique_ptr<NoiseHandshake> noise_;
    std::unique_ptr<NoiseSession> session_;
    std::optional<Yamux> mux_;
    PendingStreams pending_;
    std::set<std::pair<Instant, StreamId>> deadlines_;  ///< Of the pending streams.
    Bytes output_;                                      ///< Everything before the muxer's output.
    std::vector<ConnectionEvent> events_;
};

}  // namespace creto::p2p
