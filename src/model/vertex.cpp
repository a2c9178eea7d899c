#include "model/vertex.hpp"

namespace creto {

namespace {

/// The root over each operation's whole bytes, so that not even a client's signature can be
/// changed.
Digest operations_root(const std::vector<ByteView>& operations) {
    Hasher hasher{HashDomain::operations};
    for (const ByteView bytes : operations) {
        hasher.update(hash(HashDomain::operation_leaf, bytes));
    }
    return hasher.finish();
}

}  // namespace

Result<VertexPtr> SealedVertex::decode(ByteView bytes) {
    if (bytes.size() > limits::vertex_bytes_max) {
        return fail(
            ErrorCode::limit, "vertex: over " + std::to_string(limits::vertex_bytes_max) + " bytes"
        );
    }
    Reader reader{bytes};
    Vertex vertex;
    creto::decode(reader, vertex.top);
    const std::size_t count = reader.count(limits::vertex_operations_max, 36);
    const VertexHeader& header = vertex.top.header;
    if (reader.ok() && count != header.operation_count) reader.fail(DecodeError::bad_value);
    std::vector<ByteView> parts;
    parts.reserve(count);
    vertex.operations.reserve(count);
    std::size_t total = 0;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const ByteView before = reader.rest();
        creto::decode(reader, vertex.operations.emplace_back());
        parts.push_back(before.first(before.size() - reader.left()));
        total += parts.back().size();
    }
    if (const DecodeError error = reader.finish(); error != DecodeError::none) {
        return fail(ErrorCode::invalid, std::string{"vertex: "} + to_string(error));
    }
    if (auto form = well_formed(header); !form) return tl::unexpected<Error>(form.error());
    if (total != header.operation_bytes || operations_root(parts) != header.operations_root) {
        return fail(ErrorCode::invalid, "vertex: the operations are not those of the header");
    }
    for (const Operation& operation : vertex.operations) {
        if (auto form = creto::well_formed(operation); !form)
            return tl::unexpected<Error>(form.error());
    }
    const VertexId id = header.id();
    return std::make_shared<const SealedVertex>(
        std::move(vertex), id, Bytes(bytes.begin(), bytes.end())
    );
}

VertexPtr SealedVertex::make(
    VertexHeader header,
    std::vector<Operation> operations,
    const ChainId& chain,
    const Signer& signer
) {
    Writer body;
    std::vector<std::size_t> ends;
    ends.reserve(operations.size());
    for (const Operation& operation : operations) {
        encode(body, operation);
        ends.push_back(body.size());
    }
    std::vector<ByteView> parts;
    parts.reserve(ends.size());
    const ByteView all = body.view();
    for (std::size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
        parts.push_back(all.subspan(begin, ends[i] - begin));
    }
    header.operations_root = operations_root(parts);
    header.operation_count = static_cast<std::uint32_t>(operations.size());
    header.operation_bytes = static_cast<std::uint32_t>(body.size());
    CRETO_ASSERT(well_formed(header).has_value());

    const VertexId id = header.id();
    const Signature signature = signer.sign(SignDomain::vertex, chain.value(), id.value().view());
    Vertex vertex{.top = {std::move(header), signature}, .operations = std::move(operations)};
    Writer w{body.size() + 512};
    encode(w, vertex.top);
    w.uvarint(vertex.operations.size());
    w.raw(body.view());
    CRETO_ASSERT(w.size() <= limits::vertex_bytes_max);
    return std::make_shared<const SealedVertex>(std::move(vertex), id, w.take());
}

}  // namespace creto
