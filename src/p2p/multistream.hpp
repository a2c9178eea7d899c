// Multistream: two sides agree on the protocol that follows, by name.
//
// Why      Every connection and every stream of libp2p begins with it.
// Source   libp2p specs, connections: each message is a length, a text and a newline; both sides
//          send the header; the dialer proposes, the listener echoes what it serves or answers na.
// Holds    Lines and proposals are counted and bounded; bytes behind the agreement are left in the
//          input for whoever comes next. Deadlines are the caller's.
// Errors   Negotiation::refused and ::malformed are final; the caller drops the stream. What a
//          dialer sent behind a refused proposal must not be read as lines.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace creto::p2p {

inline constexpr std::string_view multistream_header = "/multistream/1.0.0";

namespace limits {
/// A line with its newline, as js-libp2p has it.
inline constexpr std::size_t line_bytes_max = 1'024;
/// A protocol name; longer ones are never served or proposed.
inline constexpr std::size_t protocol_bytes_max = 140;
/// Proposals that a listener answers, and that a dialer makes.
inline constexpr std::size_t proposals_max = 16;
}  // namespace limits

/// A name that fits a line and every known implementation.
[[nodiscard]] bool is_protocol_name(std::string_view name);

/// Appends the length, the text and the newline.
void append_line(Bytes& out, std::string_view text);

enum class Negotiation : std::uint8_t {
    running,
    agreed,
    refused,    ///< The listener serves none of the proposals, or the dialer made too many.
    malformed,  ///< Not multistream, or a line over the limit.
};

/// Cuts lines out of bytes that come in any segmentation.
class LineReader {
public:
    enum class Status : std::uint8_t { partial, line, malformed };

    /// Takes bytes from the front of `input`. On Status::line, `line` is good until the next call
    /// and no longer than the input.
    [[nodiscard]] Status next(ByteView& input, std::string_view& line);

private:
    [[nodiscard]] Status read_length(ByteView& input);

    std::uint32_t length_ = 0;
    std::uint8_t length_bytes_ = 0;
    bool length_known_ = false;
    bool broken_ = false;
    Bytes held_;
    Bytes whole_;
};

class MultistreamDialer {
public:
    /// Requires: between one and proposals_max names, in the order of preference.
    explicit MultistreamDialer(std::vector<std::string> proposals);

    /// The header and the first proposal.
    void start(Bytes& out) const;
    /// Takes the listener's lines from the front of `input`; appends further proposals to `out`.
    Negotiation on_bytes(ByteView& input, Bytes& out);
    [[nodiscard]] Negotiation state() const { return state_; }
    /// What was agreed on, or is being proposed.
    [[nodiscard]] const std::string& protocol() const { return proposals_[at_]; }

private:
    void on_line(std::string_view line, Bytes& out);

    std::vector<std::string> proposals_;
    std::size_t at_ = 0;
    LineReader lines_;
    Negotiation state_ = Negotiation::running;
    bool header_seen_ = false;
};

class MultistreamListener {
public:
    /// Takes the dialer's lines from the front of `input`; appends the answers to `out`.
    Negotiation on_bytes(ByteView& input, std::span<const std::string> served, Bytes& out);
    [[nodiscard]] Negotiation state() const { return state_; }
    /// Requires: state() is agreed.
    [[nodiscard]] const std::string& protocol() const { return protocol_; }

private:
    void on_line(std::string_view line, std::span<const std::string> served, Bytes& out);

    LineReader lines_;
    std::string protocol_;
    std::uint32_t proposals_ = 0;
    Negotiation state_ = Negotiation::running;
    bool header_seen_ = false;
};

}  // namespace creto::p2p
