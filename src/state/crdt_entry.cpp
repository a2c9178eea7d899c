#include "state/crdt_entry.hpp"

#include "model/limits.hpp"

namespace creto {

void encode(Writer& w, const CrdtEntry& v) {
    w.uvarint(v.values.size());
    for (const CrdtEntry::Live& live : v.values) {
        encode(w, live.dot);
        w.uvarint(live.depth);
        encode(w, live.digest);
    }
}

void decode(Reader& r, CrdtEntry& v) {
    v.values.resize(r.count(limits::seats_max, 45));
    for (CrdtEntry::Live& live : v.values) {
        decode(r, live.dot);
        live.depth = r.uvarint();
        decode(r, live.digest);
    }
    for (std::size_t i = 1; i < v.values.size(); ++i) {
        if (!(v.values[i - 1].dot.lane < v.values[i].dot.lane)) r.fail(DecodeError::bad_value);
    }
}

Bytes share_after(const CrdtOperation& add) {
    Writer w;
    w.u64(add.share + static_cast<std::uint64_t>(add.amount));
    return w.take();
}

std::uint64_t read_share(ByteView bytes) {
    Reader r{bytes};
    const std::uint64_t share = r.u64();
    return r.finish() == DecodeError::none ? share : 0;
}

}  // namespace creto
