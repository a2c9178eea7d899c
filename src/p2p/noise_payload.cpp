#include "p2p/noise_payload.hpp"

#include <algorithm>
#include <optional>

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "p2p/multistream.hpp"
#include "p2p/peer_id.hpp"

namespace creto::p2p {

namespace {

constexpr std::string_view statement_domain = "noise-libp2p-static-key:";

// Protobuf tags: field number << 3 | wire type; all of ours are length-delimited.
constexpr std::uint64_t identity_tag = 1U << 3U | 2U;
constexpr std::uint64_t signature_tag = 2U << 3U | 2U;
constexpr std::uint64_t extensions_tag = 4U << 3U | 2U;
constexpr std::uint64_t muxer_tag = 2U << 3U | 2U;

/// Reads past the value of a field that we do not know.
void skip_field(Reader& reader, std::uint64_t tag) {
    switch (tag & 7U) {
        case 0:
            (void)reader.uvarint();
            break;
        case 1:
            (void)reader.raw(8);
            break;
        case 2:
            (void)reader.bytes(reader.left());
            break;
        case 5:
            (void)reader.raw(4);
            break;
        default:
            reader.fail(DecodeError::bad_value);
    }
}

void read_extensions(ByteView bytes, std::vector<std::string>& muxers, Reader& outer) {
    Reader reader{bytes};
    while (reader.ok() && reader.left() > 0) {
        const std::uint64_t tag = reader.uvarint();
        if (tag != muxer_tag) {
            skip_field(reader, tag);
            continue;
        }
        std::string muxer = reader.text(limits::protocol_bytes_max);
        if (muxers.size() == limits::muxers_max) reader.fail(DecodeError::over_limit);
        if (reader.ok()) muxers.push_back(std::move(muxer));
    }
    if (!reader.ok()) outer.fail(reader.error());
}

void read_signature(ByteView bytes, std::optional<Signature>& out, Reader& reader) {
    if (bytes.size() != Signature::size) return reader.fail(DecodeError::bad_value);
    std::array<std::uint8_t, Signature::size> value{};
    std::copy(bytes.begin(), bytes.end(), value.begin());
    out = Signature{value};
}

}  // namespace

Bytes static_key_statement(const Key32& static_key) {
    Writer writer;
    writer.raw(as_bytes(statement_domain));
    writer.raw(static_key);
    return writer.take();
}

Bytes encode_noise_payload(const NoisePayload& payload) {
    Writer extensions;
    for (const auto& muxer : payload.muxers) {
        extensions.uvarint(muxer_tag);
        extensions.text(muxer);
    }
    Writer writer;
    writer.uvarint(identity_tag);
    writer.bytes(to_key_protobuf(payload.identity));
    writer.uvarint(signature_tag);
    writer.bytes(payload.signature.view());
    if (extensions.size() > 0) {
        writer.uvarint(extensions_tag);
        writer.bytes(extensions.view());
    }
    return writer.take();
}

Result<NoisePayload> decode_noise_payload(ByteView bytes) {
    Reader reader{bytes};
    std::optional<PublicKey> identity;
    std::optional<Signature> signature;
    std::vector<std::string> muxers;
    while (reader.ok() && reader.left() > 0) {
        const std::uint64_t tag = reader.uvarint();
        if (tag == identity_tag) {
            auto key = from_key_protobuf(reader.bytes(reader.left()));
            if (!reader.ok()) break;
            if (!key) return tl::unexpected<Error>(std::move(key.error()));
            identity = *key;
        } else if (tag == signature_tag) {
            const ByteView value = reader.bytes(reader.left());
            read_signature(value, signature, reader);
        } else if (tag == extensions_tag) {
            const ByteView value = reader.bytes(reader.left());
            read_extensions(value, muxers, reader);
        } else {
            skip_field(reader, tag);
        }
    }
    if (!reader.ok()) {
        return fail(ErrorCode::invalid, std::string{"noise payload: "} + to_string(reader.error()));
    }
    if (!identity || !signature) {
        return fail(ErrorCode::invalid, "noise payload: the identity or its signature is missing");
    }
    return NoisePayload{*identity, *signature, std::move(muxers)};
}

}  // namespace creto::p2p
