#include "p2p/framing.hpp"

#include <algorithm>
#include <utility>

namespace creto::p2p {

namespace {
constexpr unsigned length_bits_max = 63;  // nine groups of seven bits
}

void append_frame(Bytes& out, ByteView message) {
    std::uint64_t length = message.size();
    for (; length >= 0x80; length >>= 7U)
        out.push_back(static_cast<std::uint8_t>(length | 0x80U));
    out.push_back(static_cast<std::uint8_t>(length));
    out.insert(out.end(), message.begin(), message.end());
}

Result<void> FrameReader::read_length(ByteView& input) {
    while (!input.empty() && !length_known_) {
        const std::uint8_t byte = input[0];
        input = input.subspan(1);
        if (shift_ == length_bits_max) {
            return fail(ErrorCode::invalid, "frame: the length is longer than nine bytes");
        }
        length_ |= static_cast<std::uint64_t>(byte & 0x7FU) << shift_;
        if ((byte & 0x80U) == 0) {
            if (byte == 0 && shift_ > 0) {
                return fail(ErrorCode::invalid, "frame: the length is not in its shortest form");
            }
            length_known_ = true;
        }
        shift_ += 7;
        // The groups only add: once over the limit, the rest of the length need not be awaited.
        if (length_ > message_bytes_max_) {
            return fail(ErrorCode::limit, "frame: the message is longer than allowed");
        }
    }
    return {};
}

Result<std::optional<ByteView>> FrameReader::next(ByteView& input) {
    if (broken_) return tl::unexpected<Error>(*broken_);
    if (!length_known_) {
        if (auto read = read_length(input); !read) {
            broken_ = read.error();
            held_.clear();
            return tl::unexpected<Error>(std::move(read.error()));
        }
        if (!length_known_) return std::nullopt;
    }
    const auto lacking = static_cast<std::size_t>(length_) - held_.size();
    const ByteView part = input.first(std::min(lacking, input.size()));
    input = input.subspan(part.size());
    const bool direct = held_.empty() && part.size() == lacking;
    if (!direct) held_.insert(held_.end(), part.begin(), part.end());
    if (part.size() < lacking) return std::nullopt;
    length_ = 0;
    shift_ = 0;
    length_known_ = false;
    if (direct) return part;
    whole_ = std::exchange(held_, {});
    return ByteView{whole_};
}

}  // namespace creto::p2p
