// CrdtEntry: one key of the causal data: a counter, a register that keeps concurrent values.
//
// Source   PN-counter and multi-value register, op-based, after Shapiro et al. (2011); values are
//          replaced by naming the dots that the writer had observed (Bieniusa et al. 2012).
// Holds    [CRDT-CONVERGE.1] live values = all values set, less those that some write observed, less
//          those that their author set again later in the same lane. So the order in which writes
//          arrive does not matter. A removal that comes before its value is kept until the lane's
//          cut has passed the dot; below the cut there are no tombstones.
// Format   The leaf holds the values' digests: writing a key again costs what changed, not what is
//          there.
#pragma once

#include <cstdint>
#include <vector>

#include "model/operation.hpp"

namespace creto {

struct CrdtEntry {
    struct Live {
        Dot dot;
        AgentId author;  ///< Who wrote it; the lane's owner, or whom the lane carries.
        Digest digest;   ///< merkle_value(value).
        Bytes value;     ///< Not part of the leaf.
        friend bool operator==(const Live&, const Live&) = default;
    };

    bool has_counter = false;
    std::uint64_t counter = 0;  ///< Sums wrap modulo 2^64.
    std::vector<Live> values;   ///< By dot.
    std::vector<Dot> pending;   ///< Ascending: removed before they came.

    [[nodiscard]] bool empty() const { return !has_counter && values.empty() && pending.empty(); }
    friend bool operator==(const CrdtEntry&, const CrdtEntry&) = default;
};

void encode(Writer& w, const CrdtEntry& v);
void decode(Reader& r, CrdtEntry& v);

}  // namespace creto
