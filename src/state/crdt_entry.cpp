#include "state/crdt_entry.hpp"

#include "state/state_limits.hpp"

namespace creto {

void encode(Writer& w, const CrdtEntry& v) {
    w.boolean(v.has_counter);
    w.u64(v.counter);
    w.uvarint(v.values.size());
    for (const CrdtEntry::Live& live : v.values) {
        encode(w, live.dot);
        encode(w, live.author);
        encode(w, live.digest);
    }
    encode_list(w, v.pending);
}

void decode(Reader& r, CrdtEntry& v) {
    v.has_counter = r.boolean();
    v.counter = r.u64();
    v.values.resize(r.count(limits::leaf_bytes_max, 76));
    for (CrdtEntry::Live& live : v.values) {
        decode(r, live.dot);
        decode(r, live.author);
        decode(r, live.digest);
    }
    decode_list(r, v.pending, limits::crdt_pending_max, 12);
    for (std::size_t i = 1; i < v.values.size(); ++i) {
        if (!(v.values[i - 1].dot < v.values[i].dot)) r.fail(DecodeError::bad_value);
    }
    for (std::size_t i = 1; i < v.pending.size(); ++i) {
        if (!(v.pending[i - 1] < v.pending[i])) r.fail(DecodeError::bad_value);
    }
}

}  // namespace creto
