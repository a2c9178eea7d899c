// TraceHash: one digest over all that happened in a run, in its order.
//
// Why      The same seed must give the same run; two runs are compared by 32 bytes.
// Holds    Equal digests mean equal sequences of records, but for a chance of about 2^-64 for two
//          runs that differ: nobody is the adversary of a trace. The digest so far can be read at
//          any time, so that the first record that differs can be found by bisection.
// Cost     About 4 ns a record.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "crypto/digest.hpp"
#include "link/node_pair.hpp"
#include "sim/fingerprint.hpp"

namespace creto {

class TraceHash {
public:
    /// `kind` is the caller's number for what happened, `payload` names the bytes that it happened
    /// with: their fingerprint, or zero.
    void add(Instant at, NodeIndex node, std::uint32_t kind, std::uint64_t payload) {
        const std::uint64_t what = (static_cast<std::uint64_t>(node.value()) << 32U) | kind;
        first_ = fold(static_cast<std::uint64_t>(at.ns()) ^ first_odd, what ^ first_);
        second_ = fold(payload ^ second_odd, first_ ^ second_);
        ++count_;
    }

    /// The digest of all records so far; records may follow.
    [[nodiscard]] Digest digest() const {
        return Hasher{HashDomain::trace}
            .update_u64(count_)
            .update_u64(first_)
            .update_u64(second_)
            .finish();
    }
    [[nodiscard]] std::uint64_t count() const { return count_; }

private:
    static constexpr std::uint64_t first_odd = 0x8EBC6AF09C88C6E3ULL;
    static constexpr std::uint64_t second_odd = 0x589965CC75374CC3ULL;

    std::uint64_t first_ = 1;
    std::uint64_t second_ = 2;
    std::uint64_t count_ = 0;
};

}  // namespace creto
