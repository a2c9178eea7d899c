#include "store/vote_log_format.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/digest.hpp"

namespace creto::vote_log {

namespace {

constexpr std::string_view magic = "cretovl1";

std::uint64_t checksum(std::uint64_t salt, std::uint64_t sequence, ByteView payload) {
    Hasher hasher{HashDomain::checksum};
    hasher.update_u64(salt).update_u64(sequence).update(payload);
    return hasher.finish().prefix();
}

struct Frame {
    std::uint64_t sequence = 0;
    ByteView payload;
};

/// Looks for frames in the bytes after the header. All offsets count from the file's start.
class FrameReader {
public:
    FrameReader(ByteView file, std::uint64_t salt)
        : file_{file}, salt_{salt}, search_max_{file.size() * search_bytes_per_byte} {}

    /// The frame at `offset`, if a valid one with a sequence of at least `sequence` starts there.
    [[nodiscard]] std::optional<Frame> at(std::size_t offset, std::uint64_t sequence) {
        Reader reader{file_.subspan(offset)};
        const std::uint32_t length = reader.u32();
        Frame frame{reader.u64(), {}};
        const std::uint64_t expected = reader.u64();
        if (!reader.ok() || length == 0 || length > payload_bytes_max) return std::nullopt;
        if (length > reader.left() || frame.sequence < sequence) return std::nullopt;
        // No more frames can have been lost than fitted into the file.
        if (frame.sequence - sequence > file_.size() / frame_header_bytes) return std::nullopt;
        frame.payload = reader.raw(length);
        hashed_ += length;
        if (checksum(salt_, frame.sequence, frame.payload) != expected) return std::nullopt;
        return frame;
    }
    /// The first offset in [offset, end) at which a valid frame starts.
    [[nodiscard]] std::optional<std::size_t> find(
        std::size_t offset, std::size_t end, std::uint64_t sequence
    ) {
        for (; offset < end && !exhausted(); ++offset)
            if (at(offset, sequence)) return offset;
        return std::nullopt;
    }
    /// More was hashed than may be: that find() found nothing says nothing.
    [[nodiscard]] bool exhausted() const { return hashed_ > search_max_; }

private:
    ByteView file_;
    std::uint64_t salt_ = 0;
    std::size_t search_max_ = 0;
    std::size_t hashed_ = 0;
};

bool append_records(ByteView payload, std::vector<Bytes>& records) {
    Reader reader{payload};
    while (reader.ok() && reader.left() > 0) {
        const ByteView record = reader.bytes(payload_bytes_max);
        if (reader.ok()) records.emplace_back(record.begin(), record.end());
    }
    return reader.ok();
}

void damage(VoteLogContents& contents, std::size_t offset, const std::string& what) {
    if (contents.intact) contents.damage = "at byte " + std::to_string(offset) + ": " + what;
    contents.intact = false;
}

/// The length without the zeros at the end.
std::size_t used_bytes(ByteView bytes) {
    const auto last = std::find_if(bytes.rbegin(), bytes.rend(), [](auto b) { return b != 0; });
    return static_cast<std::size_t>(bytes.rend() - last);
}

void parse_frames(ByteView bytes, Parsed& parsed) {
    FrameReader frames{bytes, parsed.salt};
    const std::size_t used = used_bytes(bytes);
    std::size_t offset = header_bytes;
    while (offset < used) {
        const auto frame = frames.at(offset, parsed.next_sequence);
        if (!frame) {
            const auto next = frames.find(offset + 1, used, parsed.next_sequence);
            if (!next && !frames.exhausted()) break;  // A torn tail, or nothing at all.
            damage(parsed.contents, offset, "a record is damaged and others follow it");
            if (!next) break;
            offset = *next;
            continue;
        }
        if (frame->sequence != parsed.next_sequence)
            damage(parsed.contents, offset, "records before this one are missing");
        if (!append_records(frame->payload, parsed.contents.records))
            damage(parsed.contents, offset, "a record has a valid checksum and no valid form");
        offset += frame_header_bytes + frame->payload.size();
        parsed.valid_bytes = offset;
        parsed.next_sequence = frame->sequence + 1;
    }
    // A frame may end in zeros of its own, beyond `used`.
    parsed.torn_bytes = used > parsed.valid_bytes ? used - parsed.valid_bytes : 0;
}

}  // namespace

Bytes header(std::uint64_t salt) {
    Writer w{header_bytes};
    w.raw(as_bytes(magic));
    w.u64(salt);
    w.u64(checksum(salt, 0, {}));
    CRETO_ASSERT(w.size() == header_bytes);
    return w.take();
}

Result<Bytes> frame(std::uint64_t salt, std::uint64_t sequence, const std::vector<Bytes>& records) {
    CRETO_ASSERT(!records.empty());
    std::size_t size = 0;
    for (const Bytes& record : records)
        size += record.size() + 10;
    Writer payload{size};
    for (const Bytes& record : records)
        payload.bytes(record);
    if (payload.size() > payload_bytes_max) {
        return fail(
            ErrorCode::limit,
            "vote log: one append takes " + std::to_string(payload.size()) +
                " bytes, the limit is " + std::to_string(payload_bytes_max)
        );
    }
    Writer w{frame_header_bytes + payload.size()};
    w.u32(static_cast<std::uint32_t>(payload.size()));
    w.u64(sequence);
    w.u64(checksum(salt, sequence, payload.view()));
    w.raw(payload.view());
    return w.take();
}

Result<NewLog> begin(std::uint64_t salt, const std::vector<Bytes>& records) {
    constexpr std::size_t frame_bytes = 1024 * 1024;
    NewLog log{header(salt)};
    std::vector<Bytes> some;
    std::size_t some_bytes = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
        some.push_back(records[i]);
        some_bytes += records[i].size();
        if (some_bytes < frame_bytes && i + 1 < records.size()) continue;
        const auto made = frame(salt, log.next_sequence, some);
        if (!made) return tl::unexpected<Error>(made.error());
        log.bytes.insert(log.bytes.end(), made->begin(), made->end());
        ++log.next_sequence;
        some.clear();
        some_bytes = 0;
    }
    return log;
}

Parsed parse(ByteView bytes) {
    Parsed parsed;
    Reader reader{bytes};
    const ByteView start = reader.raw(magic.size());
    parsed.salt = reader.u64();
    const std::uint64_t expected = reader.u64();
    if (!reader.ok() || !equal(start, as_bytes(magic)) ||
        checksum(parsed.salt, 0, {}) != expected) {
        damage(parsed.contents, 0, "the header is damaged, or this is no vote log");
        return parsed;
    }
    parsed.valid_bytes = header_bytes;
    parse_frames(bytes, parsed);
    return parsed;
}

}  // namespace creto::vote_log
