// Framing: messages on a stream, each behind its length.
//
// Why      A stream is bytes without borders; calls and gossip are messages.
// Source   libp2p's habit: an unsigned minimal LEB128 length of at most 9 bytes, then the message.
// Holds    A length over the limit is refused before its message is read. Memory grows with the
//          bytes that came, not with the length that was announced.
// Errors   ErrorCode::invalid (no such length), ErrorCode::limit (too long). Either is final: the
//          borders are lost, so the stream can only be reset.
// Cost     No copy for a message that lies whole in the input.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace creto::p2p {

/// Appends the length of `message` and the message.
void append_frame(Bytes& out, ByteView message);

class FrameReader {
public:
    explicit FrameReader(std::size_t message_bytes_max) : message_bytes_max_{message_bytes_max} {}

    /// Takes bytes from the front of `input` up to the end of one message. None: all of `input` was
    /// taken and the message is not whole yet. The view is good until the next call, and no longer
    /// than the input.
    [[nodiscard]] Result<std::optional<ByteView>> next(ByteView& input);

    /// No message is half read: the stream may end here.
    [[nodiscard]] bool at_border() const { return shift_ == 0 && !length_known_; }
    /// Bytes kept for a message that is not whole.
    [[nodiscard]] std::size_t held_bytes() const { return held_.size(); }

private:
    [[nodiscard]] Result<void> read_length(ByteView& input);

    std::size_t message_bytes_max_;
    std::uint64_t length_ = 0;
    unsigned shift_ = 0;  ///< Bits of the length read so far.
    bool length_known_ = false;
    std::optional<Error> broken_;
    Bytes held_;
    Bytes whole_;  ///< The last message, when it came in parts.
};

}  // namespace creto::p2p
