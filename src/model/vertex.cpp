#include "model/vertex.hpp"

namespace creto {

namespace {

Digest operations_root(
    const std::vector<Operation>& operations, const std::vector<Digest>& contents
) {
    Hasher hasher{HashDomain::operations};
    for (std::size_t i = 0; i < operations.size(); ++i) {
        hasher.update(operation_leaf(contents[i], operations[i].signature));
    }
    return hasher.finish();
}

/// The digest of an operation's content, from the operation's bytes.
Digest content_of(const Operation& operation, ByteView bytes) {
    const std::size_t tail = 1 + (operation.signature ? Signature::size : 0);
    return content_digest(bytes.first(bytes.size() - tail));
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
    std::vector<Digest> contents;
    contents.reserve(count);
    vertex.operations.reserve(count);
    std::size_t total = 0;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const ByteView before = reader.rest();
        creto::decode(reader, vertex.operations.emplace_back());
        if (!reader.ok()) break;
        const ByteView part = before.first(before.size() - reader.left());
        contents.push_back(content_of(vertex.operations.back(), part));
        total += part.size();
    }
    if (const DecodeError error = reader.finish(); error != DecodeError::none) {
        return fail(ErrorCode::invalid, std::string{"vertex: "} + to_string(error));
    }
    if (auto form = well_formed(header); !form) return tl::unexpected<Error>(form.error());
    if (total != header.operation_bytes ||
        operations_root(vertex.operations, contents) != header.operations_root) {
        return fail(ErrorCode::invalid, "vertex: the operations are not those of the header");
    }
    for (const Operation& operation : vertex.operations) {
        if (auto form = creto::well_formed(operation); !form)
            return tl::unexpected<Error>(form.error());
    }
    const VertexId id = header.id();
    return std::make_shared<const SealedVertex>(
        std::move(vertex), std::move(contents), id, Bytes(bytes.begin(), bytes.end())
    );
}

VertexPtr SealedVertex::make(
    VertexHeader header,
    std::vector<Operation> operations,
    const ChainId& chain,
    const Signer& signer
) {
    Writer body;
    std::vector<Digest> contents;
    contents.reserve(operations.size());
    for (const Operation& operation : operations) {
        const std::size_t begin = body.size();
        encode(body, operation);
        contents.push_back(content_of(operation, ByteView{body.view()}.subspan(begin)));
    }
    header.operations_root = operations_root(operations, contents);
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
    return std::make_shared<const SealedVertex>(
        std::move(vertex), std::move(contents), id, w.take()
    );
}

}  // namespace creto
