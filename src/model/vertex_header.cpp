#include "model/vertex_header.hpp"

namespace creto {

Result<void> well_formed(const VertexHeader& header) {
    const bool first = header.sequence == Sequence{1};
    if (header.sequence == Sequence{}) return fail(ErrorCode::invalid, "vertex: sequence 0");
    if (header.parents.size() > limits::parents_max) {
        return fail(ErrorCode::limit, "vertex: more than 9 parents");
    }
    std::size_t foreign = 0;
    if (!first) {
        if (header.parents.empty() || header.parents[0].lane != header.lane ||
            header.parents[0].sequence.next() != header.sequence) {
            return fail(ErrorCode::invalid, "vertex: the first parent must be the own predecessor");
        }
        foreign = 1;
    }
    for (std::size_t i = foreign; i < header.parents.size(); ++i) {
        const VertexRef& parent = header.parents[i];
        const bool ordered = i == foreign || header.parents[i - 1].lane < parent.lane;
        if (parent.lane == header.lane || !ordered || parent.sequence == Sequence{}) {
            return fail(ErrorCode::invalid, "vertex: foreign parents must be in lane order");
        }
    }
    if (header.depth == 0 || (header.parents.empty() && header.depth != 1)) {
        return fail(ErrorCode::invalid, "vertex: the depth does not follow from the parents");
    }
    return {};
}

VertexId VertexHeader::id() const {
    return VertexId{hash(HashDomain::vertex, encode_bytes(*this))};
}

Bytes signing_bytes(const VertexHeader& header) {
    const Digest id = header.id().value();
    return Bytes(id.view().begin(), id.view().end());
}

void encode(Writer& w, const VertexRef& v) {
    encode(w, v.lane);
    encode(w, v.sequence);
    encode(w, v.id);
}
void decode(Reader& r, VertexRef& v) {
    decode(r, v.lane);
    decode(r, v.sequence);
    decode(r, v.id);
}

void encode(Writer& w, const VertexHeader& v) {
    encode(w, v.lane);
    encode(w, v.sequence);
    encode_list(w, v.parents);
    w.uvarint(v.depth);
    encode(w, v.operations_root);
    w.uvarint(v.operation_count);
    w.uvarint(v.operation_bytes);
    encode_signed(w, v.author_unix_ms);
}
void decode(Reader& r, VertexHeader& v) {
    decode(r, v.lane);
    decode(r, v.sequence);
    decode_list(r, v.parents, limits::parents_max, 35);
    v.depth = r.uvarint();
    decode(r, v.operations_root);
    const std::uint64_t count = r.uvarint();
    const std::uint64_t bytes = r.uvarint();
    if (count > limits::vertex_operations_max || bytes > limits::vertex_bytes_max) {
        r.fail(DecodeError::over_limit);
    }
    v.operation_count = static_cast<std::uint32_t>(count);
    v.operation_bytes = static_cast<std::uint32_t>(bytes);
    v.author_unix_ms = decode_signed(r);
}

void encode(Writer& w, const SignedHeader& v) {
    encode(w, v.header);
    encode(w, v.signature);
}
void decode(Reader& r, SignedHeader& v) {
    decode(r, v.header);
    decode(r, v.signature);
}

}  // namespace creto
