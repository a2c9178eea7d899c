#include "crypto/digest.hpp"

#include <blake3.h>
#include <cstring>

namespace creto {

namespace {
blake3_hasher* hasher_of(std::byte* state) {
    return reinterpret_cast<blake3_hasher*>(state);
}
}  // namespace

std::uint64_t Digest::prefix() const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
        value = value << 8U | bytes_[i];
    return value;
}

Hasher::Hasher(HashDomain domain) {  // NOLINT(cppcoreguidelines-pro-type-member-init): blake3 does
    static_assert(sizeof(blake3_hasher) <= state_bytes && alignof(blake3_hasher) <= 16);
    blake3_hasher_init(hasher_of(state_.data()));
    const auto tag = static_cast<std::uint8_t>(domain);
    blake3_hasher_update(hasher_of(state_.data()), &tag, 1);
}

Hasher& Hasher::update(ByteView bytes) {
    blake3_hasher_update(hasher_of(state_.data()), bytes.data(), bytes.size());
    return *this;
}

Hasher& Hasher::update_u64(std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < 8; ++i)
        bytes[i] = static_cast<std::uint8_t>(value >> (8U * i));
    return update(bytes);
}

Digest Hasher::finish() const {
    std::array<std::uint8_t, Digest::size> out{};
    blake3_hasher_finalize(
        reinterpret_cast<const blake3_hasher*>(state_.data()), out.data(), out.size()
    );
    return Digest{out};
}

Digest hash(HashDomain domain, ByteView content) {
    return Hasher{domain}.update(content).finish();
}

Digest blake3(ByteView content) {
    blake3_hasher hasher;
    blake3_hasher_init(&hasher);
    blake3_hasher_update(&hasher, content.data(), content.size());
    std::array<std::uint8_t, Digest::size> out{};
    blake3_hasher_finalize(&hasher, out.data(), out.size());
    return Digest{out};
}

}  // namespace creto
