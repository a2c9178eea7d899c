// TraceHash: one digest over all that happened in a run, in its order.
//
// Why      The same seed must give the same run; two runs are compared by 32 bytes.
// Holds    Equal digests mean equal sequences of records. The digest so far can be read at any
//          time, so that the first record that differs can be found by bisection.
// Cost     About 15 ns a record: records are gathered and hashed in blocks, where BLAKE3 is
//          fastest.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "crypto/digest.hpp"
#include "link/node_pair.hpp"

namespace creto {

class TraceHash {
public:
    TraceHash();

    /// `kind` is the caller's number for what happened, `payload` names the bytes that it happened
    /// with: the prefix of their digest, or zero.
    void add(Instant at, NodeIndex node, std::uint32_t kind, std::uint64_t payload) {
        std::uint8_t* out = buffer_.data() + used_;
        put(out, static_cast<std::uint64_t>(at.ns()));
        put(out + 8, (static_cast<std::uint64_t>(node.value()) << 32U) | kind);
        put(out + 16, payload);
        used_ += record_bytes;
        ++count_;
        if (used_ == buffer_.size()) flush();
    }

    /// The digest of all records so far; records may follow.
    [[nodiscard]] Digest digest() const;
    [[nodiscard]] std::uint64_t count() const { return count_; }

private:
    static constexpr std::size_t record_bytes = 24;

    /// Little-endian on every machine.
    static void put(std::uint8_t* out, std::uint64_t word) {
        for (unsigned i = 0; i < 8; ++i)
            out[i] = static_cast<std::uint8_t>(word >> (8 * i));
    }
    void flush();

    Hasher hasher_;
    Bytes buffer_;
    std::size_t used_ = 0;
    std::uint64_t count_ = 0;
};

}  // namespace creto
