#include "p2p/multistream.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace creto::p2p {

namespace {
constexpr std::string_view not_available = "na";
}

bool is_protocol_name(std::string_view name) {
    return !name.empty() && name.size() <= limits::protocol_bytes_max &&
           name.find('\n') == std::string_view::npos && name != not_available;
}

void append_line(Bytes& out, std::string_view text) {
    const std::size_t length = text.size() + 1;
    CRETO_ASSERT(length <= limits::line_bytes_max);
    if (length >= 0x80) {
        out.push_back(static_cast<std::uint8_t>(length | 0x80U));
        out.push_back(static_cast<std::uint8_t>(length >> 7U));
    } else {
        out.push_back(static_cast<std::uint8_t>(length));
    }
    out.insert(out.end(), text.begin(), text.end());
    out.push_back('\n');
}

LineReader::Status LineReader::read_length(ByteView& input) {
    while (!input.empty() && !length_known_) {
        const std::uint8_t byte = input[0];
        input = input.subspan(1);
        length_ |= static_cast<std::uint32_t>(byte & 0x7FU) << (7U * length_bytes_);
        ++length_bytes_;
        length_known_ = (byte & 0x80U) == 0;
        const bool padded = length_known_ && byte == 0;  // also no room for the newline
        if (padded || (!length_known_ && length_bytes_ == 2)) return Status::malformed;
    }
    if (length_ > limits::line_bytes_max) return Status::malformed;
    return length_known_ ? Status::line : Status::partial;
}

LineReader::Status LineReader::next(ByteView& input, std::string_view& line) {
    if (broken_) return Status::malformed;
    if (const Status status = read_length(input); status != Status::line) {
        broken_ = status == Status::malformed;
        return status;
    }
    const std::size_t lacking = length_ - held_.size();
    const ByteView part = input.first(std::min(lacking, input.size()));
    input = input.subspan(part.size());
    const bool direct = held_.empty() && part.size() == lacking;
    if (!direct) held_.insert(held_.end(), part.begin(), part.end());
    if (part.size() < lacking) return Status::partial;
    if (!direct) whole_ = std::exchange(held_, {});
    line = as_text(direct ? part : ByteView{whole_});
    length_ = 0;
    length_bytes_ = 0;
    length_known_ = false;
    broken_ = line.back() != '\n';
    line.remove_suffix(1);
    return broken_ ? Status::malformed : Status::line;
}

MultistreamDialer::MultistreamDialer(std::vector<std::string> proposals)
    : proposals_{std::move(proposals)} {
    CRETO_ASSERT(!proposals_.empty() && proposals_.size() <= limits::proposals_max);
    CRETO_ASSERT(std::all_of(proposals_.begin(), proposals_.end(), is_protocol_name));
}

void MultistreamDialer::start(Bytes& out) const {
    append_line(out, multistream_header);
    append_line(out, proposals_.front());
}

Negotiation MultistreamDialer::on_bytes(ByteView& input, Bytes& out) {
    while (state_ == Negotiation::running) {
        std::string_view line;
        const auto status = lines_.next(input, line);
        if (status == LineReader::Status::partial) break;
        if (status == LineReader::Status::malformed) {
            state_ = Negotiation::malformed;
        } else {
            on_line(line, out);
        }
    }
    return state_;
}

void MultistreamDialer::on_line(std::string_view line, Bytes& out) {
    if (!header_seen_) {
        header_seen_ = line == multistream_header;
        if (!header_seen_) state_ = Negotiation::malformed;
    } else if (line == proposals_[at_]) {
        state_ = Negotiation::agreed;
    } else if (line != not_available) {
        state_ = Negotiation::malformed;
    } else if (at_ + 1 == proposals_.size()) {
        state_ = Negotiation::refused;
    } else {
        append_line(out, proposals_[++at_]);
    }
}

Negotiation MultistreamListener::on_bytes(
    ByteView& input, std::span<const std::string> served, Bytes& out
) {
    while (state_ == Negotiation::running) {
        std::string_view line;
        const auto status = lines_.next(input, line);
        if (status == LineReader::Status::partial) break;
        if (status == LineReader::Status::malformed) {
            state_ = Negotiation::malformed;
        } else {
            on_line(line, served, out);
        }
    }
    return state_;
}

void MultistreamListener::on_line(
    std::string_view line, std::span<const std::string> served, Bytes& out
) {
    if (!header_seen_) {
        header_seen_ = line == multistream_header;
        if (header_seen_) {
            append_line(out, multistream_header);
        } else {
            state_ = Negotiation::malformed;
        }
        return;
    }
    // Also `ls` ends up here: `na` is a fine answer to it.
    const auto found = std::find(served.begin(), served.end(), line);
    append_line(out, found == served.end() ? not_available : line);
    if (found != served.end()) {
        protocol_ = *found;
        state_ = Negotiation::agreed;
    } else if (++proposals_ == limits::proposals_max) {
        state_ = Negotiation::refused;
    }
}

}  // namespace creto::p2p
